"""Runs that are asked for through Prefect's REST API, and carried out by the shipped worker.

The server, the deployments and the worker are those that `trainfold up` starts. Takes a minute or
two, so `pytest -m slow`.
"""

import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from db.engine import reading
from db.versions import find_version, members, versions
from domain.documents import version_document
from operations import resources
from operations.verify import verify_version
from soak.building import as_bytes, conversation
from tests.conftest import Library
from tests.rest import rest

pytestmark = pytest.mark.slow
FINISHED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Prefect:
    """What a caller of the API does, with nothing of ours in between."""

    def __init__(self, url: str) -> None:
        self._http = rest(url)

    def ask(self, deployment: str, parameters: Any, *, key: str | None = None) -> httpx.Response:
        """Under a key, so that what SQLite is too busy for can be asked for again."""
        found = self._http.get(f"/deployments/name/{deployment}").json()
        body = {"parameters": parameters, "idempotency_key": key or str(uuid4())}
        for _ in range(20):
            answer = self._http.post(f"/deployments/{found['id']}/create_flow_run", json=body)
            if answer.status_code != 503:
                break
            time.sleep(0.5)
        return answer

    def wait(self, run_id: str, *, seconds: int = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self._http.get(f"/flow_runs/{run_id}").json()
            if run["state_type"] in FINISHED:
                return run
            time.sleep(0.5)
        pytest.fail(f"the run is {run['state_name']} after {seconds} s")

    def finish(self, deployment: str, parameters: Any, *, key: str | None = None) -> dict[str, Any]:
        answer = self.ask(deployment, parameters, key=key)
        assert answer.status_code == 201, answer.text
        return self.wait(answer.json()["id"])

    def artifacts(self, run: dict[str, Any]) -> dict[str, Any]:
        """The data of a run's artifacts by their type."""
        found = self._http.post(
            "/artifacts/filter", json={"artifacts": {"flow_run_id": {"any_": [run["id"]]}}}
        )
        return {artifact["type"]: artifact["data"] for artifact in found.json()}

    def run_count(self) -> int:
        """Of all runs that somebody asked for; schedules make theirs when they like."""
        asked = {"flow_runs": {"tags": {"all_": ["add"]}}}
        return self._http.post("/flow_runs/count", json=asked).json()


ADD = "add-conversations/add-conversations"


@pytest.fixture
def prefect(worker: str, engine) -> Prefect:
    return Prefect(worker)


def added(name: str, ids: list[UUID], **changes: Any) -> dict[str, Any]:
    return {"training_file": name, "conversation_ids": [str(id) for id in ids], **changes}


def numbers(name: str) -> list[int]:
    with reading(resources.engine()) as connection:
        return sorted(version.number for version in versions(connection, name))


def test_a_good_request_makes_a_version_and_the_run_tells_all_of_it(
    prefect: Prefect, library: Library, engine, training_files
):
    ids = library.add_many(3)
    run = prefect.finish(ADD, added("Good", ids, new=True, requested_by="Noor"), key="good-1")
    assert (run["name"], run["state_name"]) == ("Good", "Completed")
    assert run["state"]["message"] == "Version 1 of “Good”: 3 conversations, 6 examples"
    version = verify_version(engine, training_files, "Good")
    assert (version.request_id, version.created_by) == ("good-1", "Noor")
    found = prefect.artifacts(run)
    assert found["result"] == version_document(version)
    assert found["progress"] == 100
    assert "# Good, version 1" in found["markdown"]


def test_pasted_ids_are_taken_in_their_order(prefect: Prefect, library: Library, engine):
    ids = library.add_many(3)
    pasted = f"{ids[2]}\n{ids[0]}, {ids[1]};"
    run = prefect.finish(ADD, {"training_file": "Pasted", "conversation_ids": pasted, "new": True})
    assert run["state_name"] == "Completed"
    with reading(engine) as connection:
        found = [m.conversation_id for m in members(connection, find_version(connection, "Pasted"))]
    assert found == [ids[2], ids[0], ids[1]]


def test_a_blocked_request_gives_all_reasons_and_writes_nothing(
    prefect: Prefect, library: Library, training_files
):
    unknown, broken = uuid4(), library.add(data=b"[]")
    unfinished = library.add(enrichment_status="enriched")
    before = list(training_files.listed())
    run = prefect.finish(ADD, added("Bad", [library.add(), unknown, unfinished], new=True))
    assert (run["state_type"], run["state_name"]) == ("FAILED", "Blocked")
    assert run["state"]["message"] == (
        "Blocked, nothing was written: No conversation has this id, and 1 more."
    )
    found = prefect.artifacts(run)["result"]["blocked"]
    assert {each["conversation_id"]: each["code"] for each in found} == {
        str(unknown): "unknown-conversation",
        str(unfinished): "not-completed",
    }
    run = prefect.finish(ADD, added("Bad", [library.add(), broken], new=True))
    (reason,) = prefect.artifacts(run)["result"]["blocked"]
    assert (reason["conversation_id"], reason["code"]) == (str(broken), "wrong-type")
    with pytest.raises(Exception, match="Bad"):
        numbers("Bad")
    assert list(training_files.listed()) == before


def test_a_malformed_request_is_refused_before_a_run_exists(prefect: Prefect):
    id = uuid4()
    malformed = {
        "a bad UUID": added("Form", ["3c045402"]),
        "81 ids": added("Form", [uuid4() for _ in range(81)]),
        "81 pasted ids": {
            "training_file": "Form",
            "conversation_ids": " ".join(str(uuid4()) for _ in range(81)),
        },
        "no id": added("Form", []),
        "an empty name": added("", [id]),
        "a blank name": added("  ", [id]),
        "a path": added("a/b", [id]),
        "a long name": added("x" * 121, [id]),
        "a wrong type": added("Form", [id], new="perhaps"),
        "an unknown parameter": added("Form", [id], nwe=True),
        "no ids at all": {"training_file": "Form"},
        "no parameters": {},
        "parameters that are no object": 7,
    }
    before = prefect.run_count()
    answers = {what: prefect.ask(ADD, parameters) for what, parameters in malformed.items()}
    accepted = {
        what: a.status_code for what, a in answers.items() if not 400 <= a.status_code < 500
    }
    assert accepted == {}
    assert prefect.run_count() == before


def test_what_comes_past_the_form_is_blocked_by_the_gate(prefect: Prefect, worker: str):
    found = rest(worker).get(f"/deployments/name/{ADD}").json()
    id = uuid4()
    body = {"parameters": added("a/b", [id, id]), "enforce_parameter_schema": False}
    answer = rest(worker).post(f"/deployments/{found['id']}/create_flow_run", json=body)
    run = prefect.wait(answer.json()["id"])
    assert run["state_name"] == "Blocked"
    codes = [each["code"] for each in prefect.artifacts(run)["result"]["blocked"]]
    assert codes == ["bad-name", "repeated-in-request"]


def test_an_id_that_is_given_twice_is_found_by_the_gate(prefect: Prefect):
    id = uuid4()
    for ids in ([str(id), str(id)], f"{id} {id}"):
        run = prefect.finish(ADD, {"training_file": "Twice", "conversation_ids": ids, "new": True})
        codes = [each["code"] for each in prefect.artifacts(run)["result"]["blocked"]]
        assert codes == ["repeated-in-request", "unknown-conversation"]


def test_the_same_idempotency_key_is_the_same_run_and_version(prefect: Prefect, library: Library):
    asked = added("Once", library.add_many(1), new=True)
    first = prefect.ask(ADD, asked, key="once-1")
    again = prefect.ask(ADD, asked, key="once-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    prefect.wait(first.json()["id"])
    later = prefect.ask(ADD, asked, key="once-1")
    assert (later.status_code, later.json()["id"]) == (200, first.json()["id"])
    assert numbers("Once") == [1]


def test_two_requests_at_once_on_one_file_both_make_a_version(
    prefect: Prefect, library: Library, engine, training_files
):
    ids = library.add_many(5)
    prefect.finish(ADD, added("Shared", ids[:1], new=True))
    answers = [prefect.ask(ADD, added("Shared", part)) for part in (ids[1:3], ids[3:])]
    runs = [prefect.wait(answer.json()["id"]) for answer in answers]
    assert [run["state_name"] for run in runs] == ["Completed", "Completed"]
    results = [prefect.artifacts(run)["result"] for run in runs]
    assert sorted(result["version"] for result in results) == [2, 3]
    version = verify_version(engine, training_files, "Shared")
    assert (version.number, version.conversation_count) == (3, 5)


def test_a_rebuild_says_what_changed_and_then_that_nothing_did(
    prefect: Prefect, library: Library, engine, training_files
):
    ids = library.add_many(2)
    prefect.finish(ADD, added("Rebuilt", ids, new=True))
    data = as_bytes(conversation(ids[1], turns=6, score=4))
    library.store.put(f"tests/{ids[1]}.json", data, content_type="application/json")
    name = "rebuild-training-file/rebuild-training-file"
    run = prefect.finish(name, {"training_file": "Rebuilt"})
    assert (run["state_name"], run["state"]["message"]) == (
        "Completed",
        "Version 2: 1 conversation changed",
    )
    found = prefect.artifacts(run)
    assert (found["result"]["new"], found["result"]["changed"]) == (True, [str(ids[1])])
    assert str(ids[1]) in found["table"]
    run = prefect.finish(name, {"training_file": "Rebuilt"})
    assert (run["state_name"], run["state"]["message"]) == (
        "Unchanged",
        "Version 2 holds; nothing was written",
    )
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM trainfold.conversations"))
    run = prefect.finish("rebuild-all/rebuild-all", {})
    assert run["state_name"] == "Blocked"
    assert run["state"]["message"] == "1 training file: 0 rebuilt, 0 unchanged, “Rebuilt” Blocked"
    assert verify_version(engine, training_files, "Rebuilt").number == 2


def test_a_file_that_is_not_there_fails_in_words(prefect: Prefect):
    name = "rebuild-training-file/rebuild-training-file"
    run = prefect.finish(name, {"training_file": "Nowhere"})
    assert (run["state_type"], run["state_name"]) == ("FAILED", "Failed")
    assert "Nowhere" in run["state"]["message"]
    assert "exception" not in run["state"]["message"]
    assert prefect.artifacts(run)["result"]["error"]["type"] == "NotFound"


def test_a_damaged_version_is_named(prefect: Prefect, library: Library, training_files, engine):
    prefect.finish(ADD, added("Damaged", library.add_many(1), new=True))
    run = prefect.finish("verify/verify-all", {})
    assert run["state"]["message"] == "1 training file is sound"
    with reading(engine) as connection:
        training_files.delete(find_version(connection, "Damaged").full.key)
    run = prefect.finish("verify/verify-all", {"training_file": "Damaged"})
    assert (run["state_name"], run["state"]["message"]) == (
        "Damaged",
        "Damaged: “Damaged” version 1",
    )
    (damaged,) = prefect.artifacts(run)["result"]["damaged"]
    assert (damaged["training_file"], damaged["version"]) == ("Damaged", 1)
