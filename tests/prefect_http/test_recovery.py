"""What a dead process left in Prefect, as a worker finds it when it starts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.asking import request
from tests.rest import api, runs_of
from trainfold.prefect_http.recovery import MAX_RUNS, recover_lost_runs
from trainfold.stack import processes
from trainfold.stack.worker import RUN_ID_VARIABLE


class Server:
    def __init__(self, url: str) -> None:
        self.api = api(url)
        self.runs = runs_of(url)
        self.made: list[str] = []

    def run(self, *states: tuple[str, str]) -> str:
        """A run of the deployment that went through these states, whose process is no more."""
        id = str(self.runs.submit_add(request("Lost", [uuid4()], new=True)))
        self.made.append(id)
        for state in states:
            self.enter(id, *state)
        return id

    def enter(self, id: str, state_type: str, name: str) -> None:
        body = {"state": {"type": state_type, "name": name}, "force": True}
        answer = self.api.post(f"/flow_runs/{id}/set_state", body)
        assert answer["status"] == "ACCEPT"

    def state(self, id: str) -> tuple[str, str]:
        run: dict[str, Any] = self.api.get(f"/flow_runs/{id}")
        return run["state_type"], run["state_name"]


@pytest.fixture
def server(deployments: str) -> Iterator[Server]:
    server = Server(deployments)
    yield server
    server.api.post("/flow_runs/bulk_delete", {"flow_runs": {"id": {"any_": server.made}}})


PENDING, SUBMITTING = ("PENDING", "Pending"), ("PENDING", "Submitting")
RUNNING = ("RUNNING", "Running")
AGAIN = ("SCHEDULED", "AwaitingRetry")


def test_runs_without_a_process_run_again_and_no_others(server: Server):
    lost = [server.run(PENDING), server.run(SUBMITTING), server.run(PENDING, RUNNING)]
    alive, waiting, done = server.run(PENDING, RUNNING), server.run(), server.run(PENDING, RUNNING)
    server.enter(done, "COMPLETED", "Completed")
    assert set(recover_lost_runs(server.api, alive={alive})) == set(lost)
    assert [server.state(id) for id in lost] == [AGAIN] * 3
    assert server.state(alive) == RUNNING
    assert server.state(waiting) == ("SCHEDULED", "Scheduled")
    assert server.state(done) == ("COMPLETED", "Completed")
    assert recover_lost_runs(server.api, alive={alive}) == []


def test_a_run_that_was_lost_too_often_stays_crashed(server: Server):
    id = server.run(*[PENDING, RUNNING] * (MAX_RUNS + 1))
    assert recover_lost_runs(server.api, alive=()) == []
    assert server.state(id) == ("CRASHED", "Crashed")


def test_a_run_that_was_being_cancelled_is_cancelled(server: Server):
    id = server.run(PENDING, RUNNING, ("CANCELLING", "Cancelling"))
    assert recover_lost_runs(server.api, alive=()) == []
    assert server.state(id) == ("CANCELLED", "Cancelled")


def test_a_process_is_known_by_the_run_in_its_environment():
    id = str(uuid4())
    environment = {**os.environ, RUN_ID_VARIABLE: id}
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, env=environment)
    assert id in processes.environment_values(RUN_ID_VARIABLE)
    process.kill()
    process.wait()
    assert id not in processes.environment_values(RUN_ID_VARIABLE)
