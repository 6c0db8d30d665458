"""What a page of another site can do to Prefect and the S3 server of this machine: nothing."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from operations import resources
from tests.conftest import HOME, Library
from tests.console.browser.conftest import ARGUMENTS, EXECUTABLE
from tests.rest import auth, rest
from trainfold.stack.home import PrivateJsonFile
from trainfold.stack.seaweedfs import SeaweedPorts

ATTACK = """
async (requests) => {
  const results = [];
  for (const [url, options] of requests) {
    for (const mode of ["cors", "no-cors"]) {
      try {
        const answer = await fetch(url, {...options, mode});
        results.push(mode === "cors" ? `${answer.status} ${await answer.text()}` : answer.type);
      } catch (error) {
        results.push("refused");
      }
    }
  }
  return results;
}
"""


@pytest.fixture
def site() -> Iterator[int]:
    """The port of a web server on this machine: browsers guard loopback from pages of elsewhere."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def foreign(chromium: Browser, site: int) -> Iterator[Page]:
    """A page of attacker.example, a name that its owner lets resolve to loopback."""
    browser = chromium.browser_type.launch(
        executable_path=EXECUTABLE,
        args=[*ARGUMENTS, "--host-resolver-rules=MAP attacker.example 127.0.0.1"],
    )
    page = browser.new_page()
    page.goto(f"http://attacker.example:{site}/")
    yield page
    browser.close()


def as_json(method: str, body: dict[str, Any]) -> dict[str, Any]:
    # A browser sends this type without asking the server first.
    return {"method": method, "headers": {"Content-Type": "text/plain"}, "body": json.dumps(body)}


def test_it_runs_and_reads_nothing_in_prefect(foreign: Page, deployments: str) -> None:
    with rest(deployments) as client:
        add = client.get("/deployments/name/add-conversations/add-conversations").json()["id"]
        before = client.post("/flow_runs/count", json={}).json()
        owned = {"flows": {"name": {"any_": ["owned"]}}}
        results = foreign.evaluate(
            ATTACK,
            [
                [f"{deployments}/flows/", as_json("POST", {"name": "owned"})],
                [f"{deployments}/deployments/{add}/create_flow_run", as_json("POST", {})],
                [f"{deployments}/flow_runs/filter", as_json("POST", {})],
                [f"{deployments}/version", {}],
            ],
        )
        assert set(results) <= {"refused", "opaque"}
        assert "opaque" in results, "the attack does not arrive"
        assert client.post("/flows/count", json=owned).json() == 0
        assert client.post("/flow_runs/count", json={}).json() == before


def test_it_cannot_pose_as_prefects_own_page(foreign: Page, deployments: str) -> None:
    address = f"http://attacker.example:{urlsplit(deployments).port}"
    for path in ("/", "/api/health", "/api/version"):
        answer = foreign.goto(address + path)
        assert answer is not None
        assert (answer.status, "does not answer" in answer.text()) == (421, True)


def test_it_destroys_and_reads_nothing_in_the_store(foreign: Page, library: Library) -> None:
    id = library.add()
    processes = PrivateJsonFile(HOME / "stack.json").read()["processes"]
    ports = SeaweedPorts(*processes["s3"]["ports"])
    bucket = resources.settings().conversations_bucket
    requests = [
        [f"{scheme}://127.0.0.1:{port}{path}", {"method": method}]
        for scheme in ("http", "https")
        for port, method, path in (
            (ports.filer, "GET", f"/buckets/{bucket}/"),
            (ports.filer, "POST", f"/buckets/{bucket}/planted"),
            (ports.s3, "GET", f"/{bucket}"),
            (ports.master, "GET", f"/col/delete?collection={bucket}"),
        )
    ]
    # The gateway lets pages read that it refuses them; the others are nobody's to talk to.
    answers = foreign.evaluate(ATTACK, requests)
    assert {text.split()[0] for text in answers} == {"refused", "opaque", "403"}
    assert b"".join(library.store.chunks(f"tests/{id}.json")) == library.files[id]


def test_prefects_pages_ask_for_the_password_once(chromium: Browser, deployments: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(deployments.removesuffix("/api"))
    field = page.locator("input[type=password]")
    field.fill(auth())
    field.press("Enter")
    expect(page.get_by_role("link", name="Deployments").first).to_be_visible(timeout=30_000)
    page.goto(f"{deployments.removesuffix('/api')}/deployments")
    expect(page.get_by_text("add-conversations").first).to_be_visible(timeout=30_000)
    assert auth().rpartition(":")[2] not in page.url
    context.close()
