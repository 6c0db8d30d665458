"""What another user of the machine, a web page and a caller can do to the local Prefect server."""

import json
import socket
import stat
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import HOME
from tests.rest import api, auth, rest
from tests.stack.homes import facts
from tests.stack.strangers import IS_ROOT, as_stranger
from trainfold.prefect_http import registration
from trainfold.stack import Service, Stack
from trainfold.stack.home import Credentials, ensure_credentials, read_credentials

ADD = "/deployments/name/add-conversations/add-conversations"


def attack_prefect(given: dict[str, Any]) -> list[int]:
    """Ask for what reads and for what runs a command; return the statuses."""
    import base64  # noqa: PLC0415 - this function runs in a program of its own
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    run = {"state": {"type": "SCHEDULED"}, "job_variables": {"command": "touch /tmp/owned"}}
    requests = [
        ("GET", "/admin/version", None),
        ("GET", "/admin/settings", None),
        ("GET", "/work_pools/trainfold", None),
        ("POST", "/flow_runs/filter", {}),
        ("POST", "/logs/filter", {}),
        ("POST", "/flows/", {"name": "owned"}),
        ("POST", f"/deployments/{given['argument']['deployment']}/create_flow_run", run),
        ("PATCH", "/work_pools/trainfold", {"is_paused": True}),
    ]
    statuses = []
    for password in (None, "trainfold:", "trainfold:prefect", ":"):
        for method, path, body in requests:
            request = urllib.request.Request(
                given["argument"]["url"] + path,
                data=None if body is None else json.dumps(body).encode(),
                method=method,
                # A page can send this without asking first; Prefect reads it as JSON.
                headers={"Content-Type": "text/plain"},
            )
            if password is not None:
                coded = base64.b64encode(password.encode()).decode()
                request.add_header("Authorization", f"Basic {coded}")
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    statuses.append(answer.status)
            except urllib.error.HTTPError as error:
                statuses.append(error.code)
    return statuses


def test_a_stranger_is_asked_for_the_password(deployments: str) -> None:
    with rest(deployments) as client:
        deployment = client.get(ADD).json()["id"]
        before = client.post("/flow_runs/count", json={}).json()
        statuses = as_stranger(attack_prefect, {"url": deployments, "deployment": deployment})
        assert len(statuses) == 32
        assert set(statuses) == {401}
        assert client.post("/flow_runs/count", json={}).json() == before
        # Whoever waits for the server may ask whether it is there.
        assert client.get("/health", headers={"Authorization": ""}).status_code == 200


def read_secrets(given: dict[str, Any]) -> list[str]:
    """Return which files a stranger can read, and which command lines hold the password."""
    import pathlib  # noqa: PLC0415

    read = []
    for path in given["argument"]["files"]:
        try:
            pathlib.Path(path).read_bytes()
            read.append(path)
        except OSError:
            pass
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if given["argument"]["password"].encode() in process.read_bytes():
                read.append(str(process))
        except OSError:
            pass
    return read


@pytest.mark.skipif(not IS_ROOT, reason="needs root to become another user")
def test_a_stranger_cannot_read_the_password(prefect_server: str) -> None:
    server = facts(HOME)["processes"]["prefect"]["pid"]
    files = [*map(str, HOME.glob("*.json")), f"/proc/{server}/environ"]
    assert {Path(file).name for file in files} >= {"stack.json", "credentials.json", "environ"}
    password = auth().rpartition(":")[2]
    assert as_stranger(read_secrets, {"files": files, "password": password}) == []


def test_the_password_is_on_no_command_line_and_in_no_log(prefect_server: str) -> None:
    password = auth().rpartition(":")[2]
    processes = [psutil.Process(each.pid) for each in Stack(HOME).status() if each.pid]
    shown = [repr(process.cmdline()) for process in processes]
    shown += [log.read_text() for log in (HOME / "logs").iterdir()]
    assert not [text for text in shown if password in text]
    assert stat.S_IMODE((HOME / "credentials.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "host", ["attacker.example", "attacker.example:4200", "127.0.0.1.nip.io", "prefect-in-memory"]
)
def test_a_foreign_host_name_is_refused_even_with_the_password(
    prefect_server: str, host: str
) -> None:
    with rest(prefect_server) as client:
        for path in ("/health", "/admin/version"):
            answer = client.get(path, headers={"Host": host})
            assert (answer.status_code, "does not answer" in answer.text) == (421, True)
        page = client.get(prefect_server.removesuffix("/api"), headers={"Host": host})
        assert page.status_code == 421
        for name in ("localhost:4200", "127.0.0.1", "[::1]:1"):
            assert client.get("/admin/version", headers={"Host": name}).status_code == 200


def test_no_other_origin_may_read_answers(prefect_server: str) -> None:
    with rest(prefect_server) as client:
        for origin in ("https://attacker.example", "null", "http://127.0.0.1:1"):
            asked = {
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            }
            for answer in (client.options("/flows/", headers=asked), client.get("/version")):
                assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/events/in", "/events/out", "/logs/out"])
def test_a_web_socket_needs_the_password_and_a_name_of_this_machine(
    prefect_server: str, path: str
) -> None:
    address = prefect_server.replace("http://", "ws://") + path
    for token in (None, "trainfold:wrong"):
        with connect(address, subprotocols=["prefect"], proxy=None) as client:
            client.send(json.dumps({"type": "auth", "token": token}))
            with pytest.raises(ConnectionClosed):
                client.recv(timeout=10)
    with connect(address, subprotocols=["prefect"], proxy=None) as client:
        client.send(json.dumps({"type": "auth", "token": auth()}))
        assert json.loads(client.recv(timeout=10))["type"] == "auth_success"
    server = urlsplit(address)
    foreign = address.replace(server.hostname, "attacker.example")
    line = socket.create_connection((server.hostname, server.port))
    with line, pytest.raises(InvalidStatus, match="421"):
        connect(foreign, sock=line, proxy=None)


def test_a_caller_cannot_choose_what_the_worker_runs(deployments: str) -> None:
    with rest(deployments) as client:
        deployment = client.get(ADD).json()["id"]
        for variables in (
            {"command": "touch /tmp/owned"},
            {"env": {"PYTHONSTARTUP": "/tmp/owned.py"}},
            {"working_dir": "/tmp"},
            {"image": "attacker/image"},
        ):
            body = {
                "parameters": {"training_file": "x", "conversation_ids": [str(uuid4())]},
                "job_variables": variables,
            }
            answer = client.post(f"/deployments/{deployment}/create_flow_run", json=body)
            assert answer.status_code in {409, 422}, variables
            assert "Additional properties are not allowed" in answer.text


def test_registering_closes_a_pool_of_an_earlier_release_and_leaves_one_that_somebody_made(
    deployments: str,
) -> None:
    def template() -> dict[str, Any]:
        return client.get("/work_pools/trainfold").json()["base_job_template"]

    def registered(template: dict[str, Any]) -> None:
        client.patch("/work_pools/trainfold", json={"base_job_template": template})
        registration._ensure_work_pool(api(deployments))

    variables = {"type": "object", "properties": {"command": {"type": "string"}}}
    with rest(deployments) as client:
        shipped = template()
        try:
            registered({"job_configuration": {"command": "{{ command }}"}, "variables": variables})
            assert template() == shipped == registration.JOB_TEMPLATE
            made = {"job_configuration": {"command": "nice {{ command }}"}, "variables": variables}
            registered(made)
            assert template() == made
        finally:
            client.patch("/work_pools/trainfold", json={"base_job_template": shipped})


def test_a_home_of_an_earlier_release_gets_the_password_and_keeps_its_other_secrets(
    tmp_path: Path,
) -> None:
    earlier = asdict(Credentials())
    del earlier["prefect_password"]
    (tmp_path / "credentials.json").write_text(json.dumps(earlier))
    ensure_credentials(tmp_path)
    complete = read_credentials(tmp_path)
    assert asdict(complete).items() > earlier.items()
    assert len(complete.prefect_password) == 40
    ensure_credentials(tmp_path)
    assert read_credentials(tmp_path) == complete


@pytest.mark.slow
def test_what_a_caller_changes_on_a_run_is_not_run(worker: str, tmp_path: Path) -> None:
    """Prefect checks job variables when a run is made; afterwards it accepts any."""
    marker = tmp_path / "owned"
    with rest(worker) as client:
        deployment = client.get(ADD).json()["id"]
        body = {"parameters": {"training_file": "x", "conversation_ids": [str(uuid4())]}}
        later = {"type": "SCHEDULED", "name": "Scheduled"}
        run = client.post(
            f"/deployments/{deployment}/create_flow_run", json={**body, "state": later}
        ).json()["id"]
        changed = client.patch(
            f"/flow_runs/{run}", json={"job_variables": {"command": f"touch {marker}"}}
        )
        assert changed.status_code < 500
        deadline = time.monotonic() + 120
        while (state := client.get(f"/flow_runs/{run}").json())["state_type"] not in {
            "FAILED", "COMPLETED", "CRASHED",
        }:  # fmt: skip
            assert time.monotonic() < deadline, state["state"]
            time.sleep(0.5)
    assert state["state_name"] == "Blocked"
    assert not marker.exists()
    assert Service.WORKER in {each.service for each in Stack(HOME).status() if each.running}
