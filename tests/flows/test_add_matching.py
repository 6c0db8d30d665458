"""The flow `add-matching`: parts, one version, and how it ends."""

import pytest

from flows.add_matching import add_matching
from tests.conftest import Library
from tests.flows.test_history import results
from tests.operations.test_plans import many, members

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_a_batch_is_added_in_parts_and_repeated_without_effect(
    library: Library, prefect_server: str
):
    ids = many(library, 161)
    library.batch(*ids, name="spring")
    state = add_matching("Talks", batch="spring", new=True, request_id="a", return_state=True)
    message = "161 conversations added to “Talks”: versions 1 to 3"
    assert (state.name, state.message) == ("Completed", message)
    (result,) = results(prefect_server, state)
    assert (result["data"]["plan"], result["data"]["added"]) == ("a", 161)
    assert members("Talks") == ids
    again = add_matching("Talks", batch="spring", new=True, request_id="a", return_state=True)
    assert again.message == message
    more = add_matching("Talks", ["batch=spring"], return_state=True)
    assert (more.name, more.message) == ("Unchanged", "All 161 that match are in “Talks” already")


def test_one_version_with_all(library: Library):
    ids = many(library, 161)
    state = add_matching("Talks", ["status=completed"], new=True, one_version=True,
                         request_id="b", return_state=True)  # fmt: skip
    assert state.message == "161 conversations added to “Talks”: version 1"
    assert members("Talks") == ids
    again = add_matching("Talks", ["status=completed"], new=True, one_version=True,
                         request_id="b", return_state=True)  # fmt: skip
    assert again.message == state.message


def test_what_blocks_ends_the_run_with_all_reasons(library: Library, prefect_server: str):
    ids = many(library, 81)
    for one_version in (False, True):
        library.store.put(f"tests/{ids[80]}.json", b"[", content_type="application/json")
        state = add_matching(f"Talks {one_version}", ["status=completed"], new=True,
                             one_version=one_version, return_state=True)  # fmt: skip
        assert state.name == "Blocked"
        (result,) = results(prefect_server, state)
        codes = [reason["code"] for reason in result["data"]["blocked"]]
        assert ("plan-stopped" in codes) is not one_version
        assert {reason["conversation_id"] for reason in result["data"]["blocked"]} >= {str(ids[80])}
    state = add_matching("Talks", ["colour=red"], new=True, return_state=True)
    assert (state.name, "no field “colour”" in state.message) == ("Blocked", True)
