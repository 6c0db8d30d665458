"""Removals and rollbacks on the real database and store."""

import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from db.engine import reading
from db.versions import find_version, members, versions
from domain.errors import Blocked, NotFound
from domain.versions.record import VersionRecord
from operations.tags import tag_version
from operations.verify import verify_version
from soak.building import as_bytes, conversation
from tests.asking import carry_out, content_of, go_back, request, take_out
from tests.conftest import Library
from tests.operations.rebuilding import rebuild


def held(engine, name: str, number: int | None = None) -> list[UUID]:
    with reading(engine) as connection:
        version = find_version(connection, name, number)
        return [member.conversation_id for member in members(connection, version)]


def parts_of(version: VersionRecord) -> tuple[bytes, bytes]:
    """The bytes of the conversations and of the example lines alone."""
    full, lines = content_of(version)
    return (
        full[version.full.content_start : version.full.content_end],
        lines[version.lines.content_start :],
    )


def codes(caught: pytest.ExceptionInfo[Blocked]) -> list[tuple[str | None, str]]:
    return [(reason.conversation_id, reason.code) for reason in caught.value.reasons]


@pytest.mark.parametrize(
    "gaps", [[0], [4], [2], [0, 1], [3, 4], [1, 3], [0, 2, 4], [0, 1, 2, 3], [1, 2, 3, 4]]
)
def test_a_removal_leaves_the_bytes_of_a_file_that_never_had_them(
    engine, library: Library, training_files, gaps
):
    ids = library.add_many(5)
    carry_out(request("Talks", ids[:2], new=True))
    carry_out(request("Talks", ids[2:]))
    made = take_out("Talks", [ids[at] for at in gaps])
    kept = [id for at, id in enumerate(ids) if at not in gaps]
    assert (made.number, made.reason, made.comment) == (3, "remove", "the client asked for it")
    assert held(engine, "Talks") == kept
    verify_version(engine, training_files, "Talks")
    fresh = carry_out(request("Fresh", kept, new=True))
    assert parts_of(made) == parts_of(fresh)
    assert made.statistics == fresh.statistics
    assert held(engine, "Talks", 2) == ids
    verify_version(engine, training_files, "Talks", 2)


def test_statistics_after_a_removal_forget_what_left(engine, library: Library, training_files):
    """The least and the greatest score cannot be subtracted."""
    low = library.add()
    ids = [uuid4() for _ in range(3)]
    for id, score in zip(ids, (1, 4.5, 5), strict=True):
        library.add(id, data=as_bytes(conversation(id, score=score, turns=2 * int(score))))
    carry_out(request("Scores", [low, *ids], new=True))
    made = take_out("Scores", [ids[0], ids[2]])
    found = made.statistics
    assert (found.quality_min, found.quality_max) == (3, 4.5)
    assert found.tiers == {"experimental": 1, "seed_dataset": 1}
    verify_version(engine, training_files, "Scores")


def test_what_was_removed_may_be_added_again_and_stands_last(engine, library: Library):
    ids = library.add_many(3)
    carry_out(request("Again", ids, new=True))
    take_out("Again", [ids[2]])
    carry_out(request("Again", [ids[2]]))
    take_out("Again", [ids[0]])
    carry_out(request("Again", [ids[0]]))
    assert held(engine, "Again") == [ids[1], ids[2], ids[0]]
    assert [held(engine, "Again", number) for number in (1, 2, 3, 4)] == [
        ids,
        ids[:2],
        ids,
        ids[1:],
    ]


def test_a_source_that_is_gone_can_be_removed(engine, library: Library, training_files):
    ids = library.add_many(2)
    carry_out(request("Gone", ids, new=True))
    library.store.delete(f"tests/{ids[0]}.json")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM trainfold.conversations"))
    take_out("Gone", [ids[0]])
    verify_version(engine, training_files, "Gone")


def test_a_removal_is_blocked_with_every_reason(engine, library: Library, training_files):
    ids = library.add_many(3)
    stranger = library.add()
    carry_out(request("Blocked", ids, new=True))
    before = {item.key for item in training_files.listed()}
    with pytest.raises(Blocked) as caught:
        take_out("Blocked", [ids[0], stranger, ids[1], ids[1], "no-id\0", uuid4()])
    found = codes(caught)
    assert found[0] == ("no-id\\x00", "not-an-id")
    assert found[1] == (str(ids[1]), "repeated-in-request")
    assert [code for _, code in found[2:]] == ["not-a-member", "not-a-member"]
    assert found[2][0] == str(stranger)
    assert {item.key for item in training_files.listed()} == before
    assert held(engine, "Blocked") == ids


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"comment": ""}, "no-reason"),
        ({"comment": " \n"}, "no-reason"),
        ({"comment": "x\0"}, "bad-reason"),
        ({"comment": "\ud800"}, "bad-reason"),
        ({"comment": "x" * 2_001}, "bad-reason"),
        ({"requested_by": "\x1b[31m"}, "bad-asker"),
        ({"request_id": "a b"}, "bad-request-id"),
        ({"conversation_ids": ()}, "nothing-to-remove"),
        ({"conversation_ids": tuple(str(uuid4()) for _ in range(81))}, "too-many"),
    ],
)
def test_a_malformed_removal_is_blocked(engine, library: Library, changes, code):
    ids = library.add_many(2)
    carry_out(request("Malformed", ids, new=True))
    with pytest.raises(Blocked) as caught:
        take_out("Malformed", [ids[0]], **changes)
    assert code in [reason.code for reason in caught.value.reasons]
    assert held(engine, "Malformed") == ids


def test_the_last_conversation_stays_and_the_way_out_is_named(engine, library: Library):
    ids = library.add_many(2)
    carry_out(request("Last", ids, new=True))
    with pytest.raises(Blocked, match="trainfold archive FILE") as caught:
        take_out("Last", ids)
    assert codes(caught) == [(None, "nothing-would-be-left")]
    take_out("Last", ids[:1])
    with pytest.raises(Blocked, match="at least one"):
        take_out("Last", ids[1:])


def test_the_same_removal_again_returns_its_version(engine, library: Library):
    ids = library.add_many(3)
    carry_out(request("Repeated", ids, new=True))
    first = take_out("Repeated", ids[:1], request_id="out-1")
    assert take_out("Repeated", ids[:1], request_id="out-1") == first
    with pytest.raises(Blocked, match="different request"):
        take_out("Repeated", ids[1:2], request_id="out-1")


def test_a_file_that_is_archived_or_absent_is_left(engine, library: Library):
    ids = library.add_many(2)
    carry_out(request("Archived", ids, new=True))
    take_out("Archived", ids[:1])
    with engine.begin() as connection:
        connection.execute(text("UPDATE trainfold.training_files SET status = 'archived'"))
    for attempt in (lambda: take_out("Archived", ids[1:]), lambda: go_back("Archived", 1)):
        with pytest.raises(Blocked) as caught:
            attempt()
        assert codes(caught)[0] == (None, "file-not-active")
    for attempt in (lambda: take_out("Nowhere\0", ids), lambda: go_back("Nowhere", 1)):
        with pytest.raises(NotFound):
            attempt()


def enrich_again(library: Library, id: UUID) -> None:
    library.files[id] = as_bytes(conversation(id, turns=6, score=4))
    library.store.put(f"tests/{id}.json", library.files[id], content_type="application/json")


def test_a_rollback_brings_back_the_bytes_the_order_and_the_statistics(
    engine, library: Library, training_files
):
    ids = library.add_many(5)
    first = carry_out(request("Back", ids[:4], new=True))
    take_out("Back", [ids[0], ids[2]])
    carry_out(request("Back", [ids[2], ids[4], ids[0]]))
    enrich_again(library, ids[1])
    rebuild("Back")
    assert held(engine, "Back") == [ids[1], ids[3], ids[2], ids[4], ids[0]]
    back = go_back("Back", 1, comment="as it was")
    assert (back.number, back.reason, back.restores) == (5, "rollback", 1)
    assert back.comment == "as it was"
    assert parts_of(back) == parts_of(first)
    assert back.statistics == first.statistics
    assert held(engine, "Back") == ids[:4]
    for number in range(1, 6):
        verify_version(engine, training_files, "Back", number)
    # It goes on from there: what is added follows, and forward is a rollback too.
    carry_out(request("Back", [ids[4]]))
    assert held(engine, "Back") == ids
    go_back("Back", 4)
    assert held(engine, "Back") == [ids[1], ids[3], ids[2], ids[4], ids[0]]
    verify_version(engine, training_files, "Back")


def test_a_conversation_that_is_the_same_now_and_then_keeps_its_membership(
    engine, library: Library, training_files
):
    ids = library.add_many(3)
    carry_out(request("Kept", ids, new=True))
    carry_out(request("Kept", [library.add()]))
    back = go_back("Kept", 1)
    with reading(engine) as connection:
        assert [member.added_in for member in members(connection, back)] == [1, 1, 1]
    before = library.files[ids[1]]
    enrich_again(library, ids[1])
    rebuild("Kept")
    library.store.put(f"tests/{ids[1]}.json", before, content_type="application/json")
    rebuild("Kept")
    take_out("Kept", [ids[2]])
    back = go_back("Kept", 1)
    with reading(engine) as connection:
        # The second was written again with the same bytes at the same position.
        assert [member.added_in for member in members(connection, back)] == [1, 5, back.number]
    verify_version(engine, training_files, "Kept")


def test_there_may_be_nothing_to_roll_back(engine, library: Library):
    ids = library.add_many(2)
    carry_out(request("Nothing", ids[:1], new=True))
    carry_out(request("Nothing", ids[1:]))
    for to in (2, "latest", "0002"):
        with pytest.raises(Blocked, match="is the current version; there is nothing"):
            go_back("Nothing", to)
    go_back("Nothing", 1)
    with pytest.raises(Blocked, match="same content as the current version 3"):
        go_back("Nothing", 1)
    with reading(engine) as connection:
        assert len(versions(connection, "Nothing")) == 3


@pytest.mark.parametrize(
    "to", ["9", "0", "no such tag", "", "x\0", "\ud800", "-1", "9" * 10_000, "9" * 10_000 + "a"]
)
def test_a_version_that_is_not_there_is_not_found(engine, library: Library, to):
    carry_out(request("Known", [library.add()], new=True))
    with pytest.raises(NotFound, match="has no version"):
        go_back("Known", to)


def test_a_repeated_rollback_to_a_tag_that_moved_returns_its_version(engine, library: Library):
    ids = library.add_many(3)
    for number, id in enumerate(ids):
        carry_out(request("Moved", [id], new=not number))
    tag_version(engine, "Moved", "1", "good", protected=False, requested_by="a test")
    first = go_back("Moved", "good", request_id="back-1")
    assert first.restores == 1
    tag_version(engine, "Moved", "2", "good", protected=False, requested_by="a test")
    assert go_back("Moved", "good", request_id="back-1").number == first.number
    assert go_back("Moved", "good").restores == 2


def test_hostile_names_and_many_examples_survive_removal_and_rollback(
    engine, library: Library, training_files
):
    name = "שיחות אביב 🌷 " + "ש" * 107
    ids = library.add_many(80)
    first = carry_out(request(name, ids, new=True))
    made = take_out(name, ids[:79], comment="שלום\nעולם")
    assert made.comment == "שלום\nעולם"
    assert len(json.loads(content_of(made)[0])["conversations"]) == 1
    verify_version(engine, training_files, name)
    assert parts_of(go_back(name, 1)) == parts_of(first)
