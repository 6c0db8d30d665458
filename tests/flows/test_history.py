"""The flows `remove-conversations` and `rollback`: thin, so one run of each ending."""

import pytest

from flows.remove_conversations import remove_conversations
from flows.rollback import rollback
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.rest import api

pytestmark = pytest.mark.usefixtures("prefect_server")


def results(server: str, state) -> list[dict]:
    """The run's artifacts of type `result`, newest first."""
    run_id = str(state.state_details.flow_run_id)
    body = {"artifacts": {"flow_run_id": {"any_": [run_id]}}, "sort": "CREATED_DESC"}
    return [it for it in api(server).post("/artifacts/filter", body) if it["type"] == "result"]


def test_a_removal_ends_with_its_version_and_its_result(library: Library, prefect_server: str):
    ids = list(map(str, library.add_many(3)))
    carry_out(request("Talks", ids, new=True))
    state = remove_conversations(
        "Talks", ", ".join(ids[:2]), reason="asked", requested_by="Noor", return_state=True
    )
    assert (state.name, state.message) == (
        "Completed",
        "Version 2 of “Talks”: 1 conversation, 2 examples",
    )
    (result,) = results(prefect_server, state)
    assert (result["data"]["reason"], result["data"]["comment"]) == ("remove", "asked")
    again = remove_conversations("Talks", [ids[0]], reason="asked", return_state=True)
    assert again.name == "Blocked"
    (result,) = results(prefect_server, again)
    assert [reason["code"] for reason in result["data"]["blocked"]] == ["not-a-member"]


def test_a_rollback_ends_with_its_version_and_its_result(library: Library, prefect_server: str):
    ids = library.add_many(2)
    carry_out(request("Talks", ids[:1], new=True))
    carry_out(request("Talks", ids[1:]))
    state = rollback("Talks", "1", reason="too early", request_id="back-1", return_state=True)
    assert state.name == "Completed"
    (result,) = results(prefect_server, state)
    assert (result["data"]["version"], result["data"]["restores"]) == (3, 1)
    assert rollback("Talks", "1", request_id="back-1", return_state=True).result().number == 3
    assert rollback("Talks", "1", return_state=True).name == "Blocked"
    assert rollback("Talks", "no such tag", return_state=True).name == "Failed"
