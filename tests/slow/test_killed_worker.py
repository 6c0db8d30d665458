"""A worker's machine dies in the middle of a run. Takes three minutes, so `pytest -m slow`."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from db.engine import reading
from db.versions import find_version
from operations import resources
from tests.conftest import Library
from tests.rest import rest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def start_worker() -> subprocess.Popen[bytes]:
    command = [BIN / "prefect", "worker", "start", "--pool", "trainfold"]
    return subprocess.Popen(command, cwd=ROOT)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """The worker and the flow's process, as when a machine loses its power."""
    doomed = [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]
    for process in doomed:
        process.send_signal(signal.SIGKILL)
    worker.wait()


def wait_for(url: str, run_id: str, names: set[str], *, seconds: int) -> dict:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run = rest(url).get(f"/flow_runs/{run_id}").json()
        if run["state_name"] in names:
            return run
        time.sleep(1)
    pytest.fail(f"the run is {run['state_name']} after {seconds} s, not {names}")


def test_a_run_whose_worker_was_killed_is_crashed_and_runs_again(
    library: Library, deployments: str
):
    found = rest(deployments).get("/deployments/name/add-conversations/add-conversations")
    parameters = {
        "training_file": "Survivor",
        "new": True,
        "conversation_ids": [str(id) for id in library.add_many(3)],
    }
    # The run waits for this lock inside of its gate, and so is in the middle when it dies.
    with resources.engine().connect() as holder:
        holder.execute(text("LOCK TABLE trainfold.conversations IN ACCESS EXCLUSIVE MODE"))
        first = start_worker()
        run_id = (
            rest(deployments)
            .post(
                f"/deployments/{found.json()['id']}/create_flow_run",
                json={"parameters": parameters, "idempotency_key": "survivor-1"},
            )
            .json()["id"]
        )
        wait_for(deployments, run_id, {"Running"}, seconds=60)
        time.sleep(35)  # One heartbeat at least.
        kill(first)
    assert rest(deployments).get(f"/flow_runs/{run_id}").json()["state_name"] == "Running"
    second = start_worker()
    try:
        wait_for(deployments, run_id, {"Crashed", "AwaitingRetry"}, seconds=150)
        run = wait_for(deployments, run_id, {"Completed"}, seconds=90)
    finally:
        kill(second)
    assert run["run_count"] == 2
    with reading(resources.engine()) as connection:
        version = find_version(connection, "Survivor")
    assert (version.number, version.request_id) == (1, "survivor-1")
