"""`submit`: with a worker it takes seconds a run, so most of this is `slow`."""

import signal
import subprocess
import time
from uuid import uuid4

import pytest

from db.engine import reading
from db.versions import versions
from operations import resources
from tests.commands import COMMAND, Run
from tests.conftest import Library
from tests.rest import rest


def flow_runs(url: str) -> int:
    return rest(url).post("/flow_runs/count").json()


def test_a_blocked_request_is_not_submitted(trainfold: Run, prefect_server: str, library: Library):
    before = flow_runs(prefect_server)
    unknown = uuid4()
    ran = trainfold("submit", "Talks", library.add(), unknown, "--new", "--json")
    assert ran.code == 3
    assert [each["conversation_id"] for each in ran.json["blocked"]] == [str(unknown)]
    assert trainfold("submit", "", library.add(), "--new").code == 3
    assert trainfold("submit", "Talks", "--batch", "nowhere").code == 4
    assert trainfold("submit", "Talks").code == 2
    assert flow_runs(prefect_server) == before


@pytest.mark.slow
def test_a_submitted_request_ends_as_an_add_does(trainfold: Run, worker: str, library: Library):
    ids = library.add_many(2)
    ran = trainfold("submit", "Talks", *ids, "--new", "--as", "Noor", "--json")
    assert ran.code == 0
    assert (ran.json["version"], ran.json["created_by"], ran.json["conversations"]) == (
        1,
        "Noor",
        2,
    )
    (shown,) = trainfold("versions", "Talks", "--json").json
    assert shown["request_id"] == ran.json["request_id"]
    again = trainfold(
        "submit", "Talks", *ids, "--new", "--request-id", ran.json["request_id"], "--json"
    )
    assert (again.code, again.json) == (0, ran.json)
    assert "was carried out before" in again.err
    added = trainfold("add", "More talks", *ids, "--new", "--json")
    assert added.json.keys() == ran.json.keys()


@pytest.mark.slow
def test_a_run_that_is_blocked_ends_with_its_reasons(trainfold: Run, worker: str, library: Library):
    broken = library.add(data=b"[]")
    ran = trainfold("submit", "Broken", library.add(), broken, "--new", "--json")
    assert ran.code == 3
    assert [(each["conversation_id"], each["code"]) for each in ran.json["blocked"]] == [
        (str(broken), "wrong-type")
    ]


@pytest.mark.slow
def test_an_interrupted_submit_leaves_the_run_going(trainfold: Run, worker: str, library: Library):
    id = library.add()
    arguments = ["submit", "Interrupted", str(id), "--new", "--request-id", "interrupted-1"]
    # Where tests run in the background, a shell may have them ignore the signal.
    command = ["env", "--default-signal=INT", COMMAND, *arguments]
    submitting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said = ""
    while "Submitted request interrupted-1: " not in said:
        said += submitting.stderr.readline()
    time.sleep(1)
    submitting.send_signal(signal.SIGINT)
    _, said = submitting.communicate(timeout=60)
    assert submitting.returncode == 130
    assert "The run goes on: http://" in said
    assert "--request-id interrupted-1" in said
    ran = trainfold(*arguments, "--json")
    assert (ran.code, ran.json["version"]) == (0, 1)
    with reading(resources.engine()) as connection:
        assert len(versions(connection, "Interrupted")) == 1
