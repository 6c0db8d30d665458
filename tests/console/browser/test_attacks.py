"""Attacks as a browser carries them out."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from console.security.passwords import hash_password
from soak.building import as_bytes
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.browser.conftest import Curator, Visiting
from tests.console.conftest import served

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"


@pytest.fixture
def evil_address() -> Iterator[str]:
    """Another site, whose page sends a form to whatever its address names."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = self.path.partition("?")[2]
            body = (
                f"<form method=post action='{target}'><input name=do value=clear></form>"
                "<script>document.forms[0].submit()</script>"
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_form_on_another_site_changes_nothing(
    curator: Curator, library: Library, evil_address: str
):
    id = library.add()
    page = curator.open("/conversations")
    curator.pick(id)
    curator.counts(1)
    page.goto(f"{evil_address}/?{curator.address}/conversations")
    # Another site's form comes without the session's cookie.
    expect(page.get_by_role("heading", name="Open the console with its link")).to_be_visible()
    curator.open("/conversations")
    curator.counts(1)


def test_a_console_in_a_frame_stays_empty(curator: Curator):
    page = curator.page
    page.set_content(f"<iframe src='{curator.address}/conversations'></iframe>")
    page.wait_for_timeout(500)
    assert page.frames[1].url.startswith("chrome-error://")
    (complaint,) = curator.complaints
    assert "frame-ancestors" in complaint
    curator.complaints.clear()


def test_hostile_names_run_nowhere(curator: Curator, library: Library):
    """Alerts and refused scripts would be complaints."""
    one, two = library.add_many(2)
    names = as_bytes({"training_topic": {"name": HOSTILE}, "persona": {"name": HOSTILE}}).decode()
    with library.engine.begin() as connection:
        connection.execute(
            text("UPDATE trainfold.conversations SET scaffolding_snapshot = CAST(:it AS jsonb)"),
            {"it": names},
        )
    library.batch(one, name=HOSTILE)
    name = HOSTILE.replace("/", "")
    carry_out(request(name, [one], new=True, description=HOSTILE))
    page = curator.open("/conversations")
    curator.pick(one, two)
    curator.counts(2)
    curator.choose(name)
    expect(page.get_by_role("table", name="What blocks, and why")).to_contain_text(HOSTILE)
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    curator.open("/training-files")
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.wait_for_load_state("networkidle")
    assert page.locator("img, script:not([src])").count() == 0


def test_signing_in_by_hand(visiting: Visiting, library: Library, tmp_path: Path):
    library.add()
    users = tmp_path / "users"
    users.write_text(f"noor:{hash_password('correct horse')}\n")
    with served(users_file=users) as address:
        curator = visiting(address)
        page = curator.open("/conversations?status=completed")
        page.get_by_label("Name").fill("noor")
        page.get_by_label("Password").fill("wrong horse")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        assert curator.grave_findings() == []
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        page.wait_for_url("**/conversations?status=completed")
        page.locator("input[name=picked]").check()
        curator.counts(1)
        curator.create("By Noor")
        curator.is_done(1)
        curator.open("/training-files/By%20Noor")
        expect(page.locator("#version-1")).to_contain_text("noor")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        curator.open("/training-files")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        curator.context.close()
