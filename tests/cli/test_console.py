"""`console`, `console-user`, and the console of the local stack."""

from pathlib import Path

import httpx
import psutil
import pytest

from console.security.users import read_users
from tests.cli.conftest import Run
from tests.conftest import HOME
from trainfold.stack import Service, Stack
from trainfold.stack.private_json import PrivateJsonFile


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


def test_the_stacks_console_listens_on_loopback_whatever_is_set(
    stack: Stack, engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRAINFOLD_CONSOLE_HOST", "0.0.0.0")
    monkeypatch.setenv("TRAINFOLD_CONSOLE_PROXY_HEADER", "X-User")
    stack.up([Service.CONSOLE], say=print)
    (status,) = [each for each in stack.status() if each.service is Service.CONSOLE]
    listening = psutil.Process(status.pid).net_connections("tcp")
    assert {each.laddr.ip for each in listening if each.status == psutil.CONN_LISTEN} == {
        "127.0.0.1"
    }
    address = str(PrivateJsonFile(HOME / "stack.json").read()["console_url"])
    answer = httpx.get(f"{address}/conversations", trust_env=False)
    assert (answer.status_code, "There is no conversation yet." in answer.text) == (200, True)
