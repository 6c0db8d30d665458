import re

import pytest
from prefect.client.orchestration import get_client

import flows.verify
from domain.errors import Damaged, NotFound
from flows.maintain import maintain
from flows.verify import verify_training_files
from operations import resources
from operations.archive import archive
from tasks.upkeep import training_file_names
from tests.asking import carry_out, content_of, request
from tests.conftest import Library
from tests.file_commands import archive_and_delete, command

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_sound_files_verify(library: Library):
    for name in ("One", "Two"):
        carry_out(request(name, library.add_many(2), new=True))
    state = verify_training_files(return_state=True)
    assert (state.name, state.message) == ("Completed", "2 training files are sound")


def test_a_damaged_object_fails_the_flow_and_is_named(library: Library, training_files):
    carry_out(request("Sound", [library.add()], new=True))
    version = carry_out(request("Bent", [library.add()], new=True))
    _, lines = content_of(version)
    training_files.put(
        version.lines.key, lines.replace(b"number", b"nomber"), content_type="application/jsonl"
    )
    state = verify_training_files(return_state=True)
    assert (state.name, state.message) == ("Damaged", "Damaged: “Bent” version 1")
    with pytest.raises(Damaged, match="lines in the JSONL differ"):
        state.result()


def test_a_missing_object_fails_the_flow_and_is_named(library: Library, training_files):
    version = carry_out(request("Gone", [library.add()], new=True))
    training_files.delete(version.full.key)
    state = verify_training_files("gone", return_state=True)
    with pytest.raises(Damaged, match=version.full.key):
        state.result()


def name_of_run(state) -> str:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(state.state_details.flow_run_id).name


def test_maintenance_says_what_it_found(library: Library, training_files):
    training_files.put("nobody/refers/to-this", b"x" * 10, content_type="text/plain")
    state = maintain(delete=True, return_state=True)
    assert state.message.startswith("Removed 0 objects, 0 bytes; ")
    assert re.search(
        r"; (1 object is not trainfold's and was"
        r"|\d+ objects are not trainfold's and were) not touched$",
        state.message,
    )
    assert re.fullmatch(r"Objects that no version needs, [\d-]+ \d\d:\d\d", name_of_run(state))
    assert training_files.get("nobody/refers/to-this", max_bytes=10)


def test_a_file_that_is_deleted_while_all_are_verified_is_named_and_no_failure(
    library: Library, monkeypatch
):
    for name in ("Gone", "Kept"):
        carry_out(request(name, [library.add()], new=True))
    list_names = flows.verify.training_file_names

    def delete_one() -> list[str]:
        names = list_names()
        archive_and_delete("Gone")
        return names

    monkeypatch.setattr(flows.verify, "training_file_names", delete_one)
    state = verify_training_files(return_state=True)
    assert state.name == "Completed"
    assert state.message.startswith("1 training file is sound; 1 was renamed or deleted")
    assert "“Gone”" in state.message
    assert name_of_run(state).startswith("All training files, ")
    state = verify_training_files("Gone", return_state=True)
    assert name_of_run(state) == "Gone"
    with pytest.raises(NotFound):
        state.result()


def test_the_schedule_verifies_archived_files_and_rebuilds_active_ones(library: Library):
    for name in ("Active", "Archived"):
        carry_out(request(name, [library.add()], new=True))
    archive(resources.engine(), command("Archived"))
    assert training_file_names.fn() == ["Active", "Archived"]
    assert training_file_names.fn(active=True) == ["Active"]
