"""Runs of a real server; each is carried out in this process, as a worker would."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow

from domain.documents import version_document
from domain.errors import Blocked, NotFound, NotReady, Unreachable
from domain.versions.requests import AddRequest
from flows.add_conversations import add_conversations
from tests.asking import request
from tests.conftest import Library
from tests.rest import api, auth, runs_of
from trainfold.prefect_http.runs import Runs

NOT_STARTED = {"state": {"type": {"any_": ["SCHEDULED"]}}, "name": {"like_": "Hundred "}}


@pytest.fixture
def runs(deployments: str) -> Runs:
    return runs_of(deployments)


def carry_out(run_id: UUID):
    """What a worker's process does with a run."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
    return run_flow(add_conversations, flow_run=run, parameters=run.parameters, return_type="state")


def test_a_run_is_followed_from_its_submission_to_its_version(runs: Runs, library: Library):
    asked = request("Followed", library.add_many(3), new=True)
    run_id = runs.submit_add(asked)
    waiting = runs.progress(run_id)
    assert (waiting.state_type, waiting.is_finished) == ("SCHEDULED", False)
    assert (waiting.training_file, waiting.total) == ("Followed", 3)
    version = carry_out(run_id).result()
    assert version.request_id == asked.request_id
    ended = runs.progress(run_id)
    assert (ended.state_type, ended.is_finished) == ("COMPLETED", True)
    assert ended.message == "Version 1 of “Followed”: 3 conversations, 6 examples"
    assert ended.outcome.version == version_document(version)


def test_fetched_and_validated_conversations_are_counted(runs: Runs, library: Library):
    run_id = runs.submit_add(request("Counted", library.add_many(3), new=True))
    carry_out(run_id)
    # The server takes in the events of task runs for some seconds after them.
    deadline = time.monotonic() + 30
    progress = runs.progress(run_id)
    while (progress.fetched, progress.validated) != (3, 3) and time.monotonic() < deadline:
        time.sleep(0.2)
        progress = runs.progress(run_id)
    assert (progress.fetched, progress.validated) == (3, 3)


def test_a_blocked_run_gives_its_reasons(runs: Runs, library: Library):
    unknown = uuid4()
    run_id = runs.submit_add(request("Refused", [unknown], new=True))
    carry_out(run_id)
    progress = runs.progress(run_id)
    assert (progress.state_type, progress.state_name) == ("FAILED", "Blocked")
    (reason,) = progress.outcome.blocked
    assert (reason.conversation_id, reason.code) == (str(unknown), "unknown-conversation")


def test_the_same_request_twice_is_one_run(runs: Runs, library: Library):
    asked = request("Once", library.add_many(1), new=True)
    assert runs.submit_add(asked) == runs.submit_add(asked)


@pytest.fixture
def cleared(deployments: str) -> Iterator[None]:
    """Runs that nobody carries out are removed, lest the next worker of this server take them."""
    yield
    prefect = api(deployments)
    while waiting := prefect.post("/flow_runs/filter", {"flow_runs": NOT_STARTED, "limit": 200}):
        ids = [run["id"] for run in waiting]
        prefect.post("/flow_runs/bulk_delete", {"flow_runs": {"id": {"any_": ids}}})


@pytest.mark.parametrize("count", [12, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("cleared", "engine")
def test_submissions_at_once_are_all_accepted_and_none_is_doubled(deployments: str, count: int):
    """Each has a client of its own, as so many processes would, and asks a second time."""
    asked = [request(f"Hundred {uuid4()}", [uuid4()], new=True) for _ in range(count)]
    words: list[str] = []

    def submit(one: AddRequest) -> UUID:
        own = Runs(
            deployments, auth=auth(), patience=timedelta(minutes=5), say_waiting=words.append
        )
        return own.submit_add(one)

    with ThreadPoolExecutor(count) as pool:
        first = list(pool.map(submit, asked))
        again = list(pool.map(submit, asked))
    assert again == first
    assert len(set(first)) == count
    in_prefect = {"name": {"like_": "Hundred "}}
    assert api(deployments).post("/flow_runs/count", {"flow_runs": in_prefect}) == count
    assert all("is busy; asking it again" in word for word in words)


def test_another_request_under_the_same_id_is_blocked(runs: Runs, library: Library):
    asked = request("One", library.add_many(1), new=True)
    runs.submit_add(asked)
    other = asked.model_copy(update={"training_file": "Other"})
    with pytest.raises(Blocked) as caught:
        runs.submit_add(other)
    assert caught.value.reasons[0].code == "request-id-reused"


def test_a_request_that_was_blocked_runs_again_when_it_is_asked_for_again(
    runs: Runs, library: Library
):
    id = uuid4()
    asked = request("Mended", [id], new=True)
    run_id = runs.submit_add(asked)
    carry_out(run_id)
    library.add(id)
    assert runs.submit_add(asked) == run_id
    assert runs.progress(run_id).state_name == "AwaitingRetry"
    assert carry_out(run_id).result().number == 1
    assert runs.progress(run_id).outcome.version["version"] == 1


def test_the_runs_of_a_training_file_are_listed_newest_first(runs: Runs, library: Library):
    ids = library.add_many(2)
    first = runs.submit_add(request("Listed 100%", [ids[0]], new=True))
    carry_out(first)
    runs.submit_add(request("Listed 100% and more", [ids[0]], new=True))
    second = runs.submit_add(request("Listed 100%", [ids[1]]))
    found = runs.touching("listed  100%", limit=5)
    assert [each.run_id for each in found] == [second, first]
    assert [each.state_type for each in found] == ["SCHEDULED", "COMPLETED"]
    assert {(each.flow, each.conversations) for each in found} == {("add-conversations", 1)}
    assert [each.run_id for each in runs.touching("Listed 100%", limit=1)] == [second]


def test_what_prefect_refuses_is_said_in_words(runs: Runs):
    with pytest.raises(Blocked) as caught:
        runs.submit_add(request("x" * 200, [uuid4()]))
    (reason,) = caught.value.reasons
    assert (reason.code, reason.path) == ("bad-parameter", "training_file")
    assert "too long" in reason.reason


def test_a_run_that_is_not_there_is_not_found(runs: Runs):
    with pytest.raises(NotFound):
        runs.progress(uuid4())


def test_a_server_without_the_flows_says_what_to_do(runs: Runs, monkeypatch):
    monkeypatch.setattr("trainfold.prefect_http.runs.ADD", "never-registered")
    with pytest.raises(NotReady, match="prefect deploy --all"):
        runs.submit_add(request("Nowhere", [uuid4()]))


def test_a_server_that_is_away_is_unreachable():
    with pytest.raises(Unreachable, match="does not answer"):
        Runs("http://127.0.0.1:9/api").submit_add(request("Away", [uuid4()]))
