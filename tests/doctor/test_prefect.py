"""Each fault of a Prefect server is made on the session's, and is the only finding."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest

from operations import resources
from operations.identity import Identity, read_identity
from tests import rest
from tests.doctor.checks import findings, text_of
from trainfold.prefect_http import diagnosis
from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.diagnosis import check_prefect
from trainfold.prefect_http.registration import WORK_POOL, register

PATIENT = 300.0
"""For a machine that runs other tests, too."""
RUNS = {"flow_runs": {"name": {"any_": ["trainfold doctor"]}}}


@pytest.fixture
def api(deployments: str) -> PrefectApi:
    """The session's server with the shipped deployments and a worker that says it is there."""
    api = rest.api(deployments)
    api.post(f"/work_pools/{WORK_POOL}/workers/heartbeat", {"name": "ghost"})
    return api


@pytest.fixture
def own(engine) -> Identity:
    return read_identity(engine, resources.conversations_store(), resources.training_files_store())


@contextmanager
def answered(api: PrefectApi, environment: Mapping[str, str]) -> Iterator[None]:
    """Carry out the doctor's run as a worker of the pool does, with these variables."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.2):
            for run in api.post("/flow_runs/filter", RUNS):
                command = [sys.executable, "-m", "prefect", "flow-run", "execute", run["id"]]
                env = {**os.environ, "PREFECT_API_URL": api.url, **environment}
                subprocess.run(command, env=env, capture_output=True, check=False)
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.thorough
def test_a_sound_server_whose_worker_works_on_the_same_database_has_no_finding(
    api: PrefectApi, own: Identity
):
    with answered(api, {}):
        checks = check_prefect(api, own, answer_seconds=PATIENT)
    assert findings(checks) == []
    assert [check.name for check in checks] == [
        "prefect.reachable", "prefect.deployments", "prefect.work-pool", "prefect.worker",
        "prefect.identity",
    ]  # fmt: skip
    assert "of type process" in text_of(checks, "prefect.work-pool")
    assert str(own.installation) in text_of(checks, "prefect.identity")
    assert api.post("/flow_runs/filter", RUNS) == []


@pytest.mark.thorough
def test_a_worker_of_another_database_or_bucket_is_named(api: PrefectApi, own: Identity):
    here = own.model_copy(update={"installation": uuid4()})
    with answered(api, {"TRAINFOLD_CONVERSATIONS_BUCKET": "elsewhere"}):
        checks = check_prefect(api, here, answer_seconds=PATIENT)
    assert findings(checks) == ["worker-elsewhere"]
    text = text_of(checks, "prefect.identity")
    assert f"installation {own.installation} where this process has {here.installation}" in text
    assert "conversations bucket elsewhere where this process has" in text


@pytest.mark.thorough
def test_a_worker_that_lacks_its_settings_is_named_with_its_own_words(
    api: PrefectApi, own: Identity, engine
):
    nowhere = engine.url.set(database="nowhere").render_as_string(hide_password=False)
    with answered(api, {"TRAINFOLD_DATABASE_URL": nowhere}):
        checks = check_prefect(api, own, answer_seconds=PATIENT)
    assert findings(checks) == ["worker-not-ready"]
    assert "no database “nowhere”" in text_of(checks, "prefect.identity")


def test_a_worker_that_does_not_answer_is_a_warning_and_leaves_no_run(
    api: PrefectApi, own: Identity
):
    assert findings(check_prefect(api, own, answer_seconds=1)) == ["worker-silent"]
    assert api.post("/flow_runs/filter", RUNS) == []


def test_a_pool_without_a_worker_is_named(api: PrefectApi):
    for worker in api.post(f"/work_pools/{WORK_POOL}/workers/filter", {}):
        api.delete(f"/work_pools/{WORK_POOL}/workers/{worker['name']}")
    assert findings(check_prefect(api, None)) == ["no-worker"]


def test_a_paused_or_missing_pool_is_named(api: PrefectApi, monkeypatch):
    api.patch(f"/work_pools/{WORK_POOL}", {"is_paused": True})
    paused = check_prefect(api, None)
    api.patch(f"/work_pools/{WORK_POOL}", {"is_paused": False})
    assert findings(paused) == ["work-pool-paused"]
    monkeypatch.setattr(diagnosis, "WORK_POOL", "another-pool")
    assert findings(check_prefect(api, None)) == ["work-pool-missing"]


def test_deployments_that_are_missing_or_of_another_release_are_named(api: PrefectApi):
    identify = api.get("/deployments/name/identify/identify")["id"]
    api.patch(f"/deployments/{identify}", {"version": "of another release"})
    assert findings(check_prefect(api, None)) == ["deployments-outdated"]
    api.delete(f"/deployments/{identify}")
    missing = check_prefect(api, None)
    register(api, environment={}, scheduled_rebuild=False)
    assert findings(missing) == ["deployments-missing"]
    assert "lacks the deployments identify" in text_of(missing, "prefect.deployments")
    assert findings(check_prefect(api, None)) == []


def test_a_server_that_is_away_is_named():
    checks = check_prefect(PrefectApi("http://127.0.0.1:9/api"), None)
    assert findings(checks) == ["prefect-unreachable"]


@pytest.mark.parametrize(
    ("status", "body", "finding"),
    [(401, b"{}", "prefect-refused"), (200, b'"2.20.1"', "prefect-version")],
)
def test_a_server_that_refuses_us_or_is_too_old_is_named(status: int, body: bytes, finding: str):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = PrefectApi(f"http://127.0.0.1:{server.server_port}/api")
        assert findings(check_prefect(api, None)) == [finding]
    finally:
        server.shutdown()
        server.server_close()
