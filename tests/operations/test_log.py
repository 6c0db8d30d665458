"""The log: one entry for each change and each refusal, whatever happens, and none is changed."""

import pytest
from sqlalchemy import text

from db.engine import make_engine
from domain.errors import Blocked, DatabaseRefused, NotFound
from domain.versions.log import MAX_REASONS
from domain.versions.requests import RemoveRequest, RollbackRequest
from operations import resources
from operations.archive import archive
from operations.log import note_refusal, read_log, refusals_recorded
from operations.remove import remove
from operations.rename import rename
from operations.rollback import roll_back
from operations.tags import tag_version, untag
from tests.asking import carry_out, request
from tests.file_commands import actions, archive_and_delete, command, logged


def test_an_entry_says_who_what_when_why_and_under_which_request(engine, library):
    asked = request("Spring", [library.add()], new=True, run_id="a run", requested_by="Noor")
    version = carry_out(asked)
    archive(engine, command("Spring", requested_by="Inès", comment="The pilot is over."))
    archived, created = logged("Spring")
    assert created.training_file_id == archived.training_file_id == version.training_file_id
    assert (created.action, created.outcome, created.actor) == ("create", "done", "Noor")
    assert (created.request_id, created.run_id) == (asked.request_id, "a run")
    assert (created.version, created.detail["conversations"]) == (1, 1)
    assert (archived.action, archived.actor) == ("archive", "Inès")
    assert archived.comment == archived.in_words == "The pilot is over."
    assert created.at < archived.at


def test_what_was_refused_is_recorded_once_a_request(engine, library):
    ids = [*map(str, library.add_many(1)), *(f"no id {n}" for n in range(20))]
    asked = request("Spring", ids, new=True, run_id="first")
    for run in ("first", "retried"):
        with pytest.raises(Blocked):
            carry_out(asked.model_copy(update={"run_id": run}))
    (entry,) = logged("Spring")
    assert entry.training_file_id is None
    assert (entry.action, entry.outcome, entry.run_id) == ("create", "refused", "first")
    assert entry.detail["count"] == 20
    assert len(entry.detail["reasons"]) == MAX_REASONS
    assert entry.in_words == "“no id 0” is not a UUID. (and 19 more)"
    with pytest.raises(Blocked):
        carry_out(request("Spring", ids, new=True))
    assert len(logged("Spring")) == 2
    carry_out(request("Spring", ids[:1], new=True))
    assert actions("Spring") == [("create", "refused")] * 2 + [("create", "done")]


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 100_000, "", "a\u00a0b", "\u202eb"])
def test_a_refusal_of_hostile_text_is_recorded_and_raised(engine, name):
    with pytest.raises(Blocked):
        carry_out(request(name, ["\0\ud800"], requested_by=name * 2, request_id=name))
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM trainfold.training_file_log")
        assert connection.execute(query).scalar_one() == 1


def test_a_refusal_reaches_who_asked_where_the_database_is_away():
    away = make_engine("postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(NotFound, match="gone"), refusals_recorded(away, command("A"), "rename"):
        raise NotFound("It is gone.")


def test_a_change_that_fails_leaves_no_entry(engine, library):
    for name in ("A", "B"):
        carry_out(request(name, [library.add()], new=True))
    with pytest.raises(Blocked):
        rename(engine, command("A"), "B")
    assert actions("A") == [("create", "done"), ("rename", "refused")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {log} SET actor = 'nobody'",
        "DELETE FROM {log}",
        "TRUNCATE {log}",
        "DELETE FROM {log} WHERE false",
    ],
)
def test_no_entry_can_be_changed_or_removed(engine, library, statement):
    carry_out(request("A", [library.add()], new=True))
    before = logged("A")
    with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement.format(log="trainfold.training_file_log")))
    assert logged("A") == before


def test_a_version_whose_entry_cannot_be_written_is_not_made(engine, library):
    carry_out(request("A", [library.add()], new=True))
    table = "trainfold.training_file_log"
    with engine.begin() as connection:
        connection.execute(
            text(f"ALTER TABLE {table} ADD CONSTRAINT no_more CHECK (version < 2) NOT VALID")
        )
    try:
        with pytest.raises(DatabaseRefused, match="Version 2 of “A” was not recorded"):
            carry_out(request("A", [library.add()]))
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT no_more"))
    assert actions("A") == [("create", "done")]
    assert carry_out(request("A", [library.add()])).number == 2


def test_the_log_is_paged_and_outlives_the_file(engine, library):
    version = carry_out(request("A", [library.add()], new=True))
    archive_and_delete("A")
    newest = logged("A", limit=2)
    assert [entry.action for entry in newest] == ["delete", "archive"]
    (oldest,) = logged("A", limit=2, before=newest[-1].id)
    assert oldest.action == "create"
    assert logged("A", before=oldest.id) == logged("A", before=-(2**80)) == []
    assert logged(str(version.training_file_id), before=2**80) == logged("a")


@pytest.mark.parametrize("name", ["No file", "", "\0", "\ud800", "x" * 10_000])
def test_a_file_that_the_log_does_not_know_is_not_found(engine, name):
    with pytest.raises(NotFound):
        read_log(resources.engine(), name, limit=1)


def test_a_refusal_is_of_the_file_that_has_the_name(engine, library):
    version = carry_out(request("A", [library.add()], new=True))
    refused = NotFound("It was renamed.")
    note_refusal(engine, request("a", []), "add", refused)
    assert logged("A")[0].training_file_id == version.training_file_id
    assert logged("A")[0].in_words == "It was renamed."


def test_removals_rollbacks_and_tags_are_recorded_and_what_they_refuse_too(engine, library):
    first, second = library.add_many(2)
    carry_out(request("Spring", [first, second], new=True))
    store = resources.training_files_store()
    by = {"training_file": "Spring", "requested_by": "Noor"}

    def taken_out(*ids: object, request_id: str) -> None:
        asked = RemoveRequest(
            conversation_ids=tuple(map(str, ids)), comment="why", request_id=request_id, **by
        )
        remove(engine, store, asked)

    taken_out(first, request_id="r1")
    with pytest.raises(Blocked):
        taken_out(second, request_id="r2")
    roll_back(engine, store, RollbackRequest(to="1", request_id="r3", **by))
    with pytest.raises(Blocked):
        roll_back(engine, store, RollbackRequest(to="1", request_id="r4", **by))
    tag_version(engine, "Spring", "1", "good", protected=False, requested_by="Noor")
    with pytest.raises(Blocked):
        tag_version(engine, "Spring", "1", "7", protected=False, requested_by="Noor")
    untag(engine, "Spring", "good", requested_by="Noor")
    found = [(e.action, e.outcome, e.version, e.actor) for e in reversed(logged("Spring"))]
    assert found[1:] == [
        ("remove", "done", 2, "Noor"),
        ("remove", "refused", None, "Noor"),
        ("rollback", "done", 3, "Noor"),
        ("rollback", "refused", None, "Noor"),
        ("tag", "done", 1, "Noor"),
        ("tag", "refused", None, "Noor"),
        ("untag", "done", 1, "Noor"),
    ]
    assert logged("Spring")[-2].in_words == "why; 1 conversation"
