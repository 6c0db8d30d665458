"""`console`, `console-user`, and the console of the local stack."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psutil
import pytest

from console.security.passwords import hash_password
from console.security.users import read_users
from tests.commands import COMMAND, Run
from tests.conftest import HOME
from trainfold.stack import Service, Stack
from trainfold.stack.home import PrivateJsonFile
from trainfold.stack.loopback import choose_ports


def listening(pid: int | None) -> set[str]:
    """The addresses at which a process listens."""
    connections = psutil.Process(pid).net_connections("tcp")
    return {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}


def test_a_user_is_a_line_for_the_users_file(trainfold: Run, tmp_path: Path):
    ran = trainfold("console-user", "noor", stdin="correct horse\n")
    (tmp_path / "users").write_text(ran.out)
    users = read_users(tmp_path / "users")
    assert users.verify("noor", "correct horse")
    assert not users.verify("noor", "wrong horse")
    assert "correct horse" not in ran.out + ran.err


@pytest.mark.parametrize(("name", "password"), [("a:b", "long enough"), ("#a", "long enough"),
                                                ("noor", "short")])  # fmt: skip
def test_a_bad_name_and_a_short_password_are_refused(trainfold: Run, name: str, password: str):
    ran = trainfold("console-user", name, stdin=f"{password}\n")
    assert (ran.code, ran.out) == (2, "")


def test_off_loopback_the_command_refuses_to_start_without_users(trainfold: Run):
    ran = trainfold("console", "--host", "0.0.0.0")
    assert ran.code == 1
    assert "needs authentication" in ran.err


def test_a_console_that_is_refused_starts_no_service(
    trainfold: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRAINFOLD_HOME", str(tmp_path / "home"))
    for settings, words in (
        ({"HOST": "0.0.0.0"}, "needs authentication"),
        ({"USERS_FILE": str(tmp_path / "missing")}, "cannot be read"),
    ):
        with monkeypatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(f"TRAINFOLD_CONSOLE_{name}", value)
            ran = trainfold("console")
        assert (ran.code, words in ran.err) == (1, True)
        assert not (tmp_path / "home").exists()


def test_a_folder_named_console_is_not_run(trainfold: Run, tmp_path: Path):
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "__main__.py").write_text("raise SystemExit(9)")
    assert trainfold("console", "--host", "0.0.0.0").code == 1
    assert trainfold("console-user", "noor", stdin="correct horse\n").code == 0


@pytest.fixture
def prefect_that_answers() -> Iterator[str]:
    """The address of a server that is asked nothing but whether it is there."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"3"')

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def test_the_command_becomes_the_console(engine, prefect_that_answers: str):
    (port,) = choose_ports([], count=1)
    address = f"http://127.0.0.1:{port}"
    started = subprocess.Popen(
        [COMMAND, "console", "--port", str(port)],
        env=os.environ | {"PREFECT_API_URL": prefect_that_answers},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr is not None
    try:
        told = next(line for line in started.stderr if "The console is at" in line)
        link = told.removeprefix("The console is at ").removesuffix("; Ctrl+C stops it.\n")
        assert link.startswith(f"{address}/enter?key=")
        while not listening(started.pid):
            assert started.poll() is None
            time.sleep(0.05)
        answer = httpx.get(link, trust_env=False, follow_redirects=True)
        assert (answer.status_code, answer.url.path) == (200, "/conversations")
        started.send_signal(signal.SIGINT)
        assert (started.wait(30), started.stderr.read()) == (130, "")
    finally:
        started.kill()


def test_the_stacks_console_listens_on_loopback_whatever_is_set(
    stack: Stack, engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRAINFOLD_CONSOLE_HOST", "0.0.0.0")
    monkeypatch.setenv("TRAINFOLD_CONSOLE_PROXY_HEADER", "X-User")
    stack.up([Service.CONSOLE], say=print)
    (status,) = [each for each in stack.status() if each.service is Service.CONSOLE]
    assert listening(status.pid) == {"127.0.0.1"}
    address = str(PrivateJsonFile(HOME / "stack.json").read()["console_url"])
    # The browser's command line has no key: other users see command lines.
    shown = {"BROWSER": "echo %s", "DISPLAY": ":0"}
    opened = subprocess.check_output([COMMAND, "open"], env=os.environ | shown, text=True)
    page = Path(opened.strip().removeprefix("file://"))
    assert page.stat().st_mode & 0o077 == 0
    link = subprocess.check_output([COMMAND, "open", "--print"], text=True).strip()
    assert link in page.read_text()
    assert link.startswith(f"{address}/enter?key=")
    answer = httpx.get(link, trust_env=False, follow_redirects=True)
    assert (answer.status_code, "There is no conversation yet." in answer.text) == (200, True)


def test_the_stacks_console_asks_for_a_password_if_the_home_has_users(stack: Stack, engine):
    users = HOME / "console-users"
    users.write_text(f"noor:{hash_password('correct horse')}\n")
    stack.down([Service.CONSOLE], say=print)
    try:
        stack.up([Service.CONSOLE], say=print)
        address = str(PrivateJsonFile(HOME / "stack.json").read()["console_url"])
        answer = httpx.get(f"{address}/conversations", trust_env=False)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")
    finally:
        users.unlink()
        stack.down([Service.CONSOLE], say=print)
