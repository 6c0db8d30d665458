import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from db.commit import PostgresVersionLog
from db.engine import reading
from db.versions import find_version, members, versions
from domain.errors import Blocked, CommitConflict, Damaged, NotFound, Unreachable
from domain.source.limits import Limits
from domain.versions.changes import compose_add
from domain.versions.layout import proven
from domain.versions.validation import validate
from operations import resources
from operations.add import make_version
from operations.admission import decide, gate
from operations.verify import verify_version
from tests.asking import carry_out, content_of, request
from tests.conftest import Library


def held(engine, name: str, number: int | None = None) -> list:
    with reading(engine) as connection:
        version = find_version(connection, name, number)
        return [member.conversation_id for member in members(connection, version)]


def test_versions_hold_conversations_in_the_order_they_were_added(engine, library: Library):
    one, two, three, four = library.add_many(4)
    carry_out(request("A", [two, one], new=True))
    carry_out(request("A", [four, three]))
    assert held(engine, "A", 1) == [two, one]
    assert held(engine, "A") == [two, one, four, three]


def test_an_earlier_version_stays_byte_for_byte_under_its_own_key(engine, library: Library):
    ids = library.add_many(3)
    first = carry_out(request("A", [ids[0]], new=True))
    before = content_of(first)
    second, third = (carry_out(request("A", [id])) for id in ids[1:])
    assert content_of(first) == before
    keys = [key for v in (first, second, third) for key in (v.full.key, v.lines.key)]
    assert len(set(keys)) == 6


def test_the_same_request_again_returns_the_version_it_made(engine, library: Library):
    asked = request("A", library.add_many(2), new=True)
    first = carry_out(asked)

    again = make_version(engine, resources.training_files_store(), asked, [])
    assert again == first
    with reading(engine) as connection:
        assert [version.number for version in versions(connection, "A")] == [1]


def test_a_request_id_of_another_request_is_refused(engine, library: Library):
    one, two = library.add_many(2)
    carry_out(request("A", [one], new=True, request_id="monday"))

    with reading(engine) as connection, pytest.raises(Blocked, match="different request"):
        decide(connection, request("A", [two], request_id="monday"))


def test_a_commit_on_a_stale_base_changes_nothing(engine, library: Library, training_files):

    first, mine, other = library.add_many(3)
    carry_out(request("A", [first], new=True))
    asked = request("A", [mine])
    with reading(engine) as connection:
        admission = gate(connection, asked)
    fragments = [validate(library.files[mine], admission.conversations[0], limits=Limits())]
    stale = compose_add(
        asked, admission, fragments, new_id=uuid4(), now=datetime.now(UTC), attempt="stale"
    )
    carry_out(request("A", [other]))
    with pytest.raises(CommitConflict):
        PostgresVersionLog(engine).commit(stale)
    assert held(engine, "A") == [first, other]


def test_eight_writers_at_once_end_as_if_one_after_another(engine, library: Library):
    carry_out(request("A", [library.add()], new=True))
    groups = [library.add_many(3) for _ in range(8)]
    failures = []

    def write(ids):
        try:
            carry_out(request("A", ids))
        except Exception as error:  # noqa: BLE001 - any failure of a thread fails the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(group,)) for group in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = held(engine, "A")
    assert len(found) == 25
    assert sorted(found[1:]) == sorted(id for group in groups for id in group)
    starts = {tuple(found[i : i + 3]) for i in range(1, 25, 3)}
    assert starts == {tuple(group) for group in groups}
    with reading(engine) as connection:
        assert find_version(connection, "A").number == 9


def test_creating_one_name_at_once_makes_one_file_and_blocks_the_others(engine, library: Library):
    ids = library.add_many(4)
    outcomes = []

    def create(id):
        try:
            outcomes.append(carry_out(request("Raced", [id], new=True)).number)
        except Blocked as blocked:
            outcomes.append(blocked.reasons[0].code)

    threads = [threading.Thread(target=create, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [1, "name-taken", "name-taken", "name-taken"]


def test_what_is_not_there_is_named(engine, library: Library):
    carry_out(request("A", [library.add()], new=True))
    with reading(engine) as connection:
        with pytest.raises(NotFound, match="no training file “B”"):
            find_version(connection, "B")
        with pytest.raises(NotFound, match="it has 1 to 1"):
            find_version(connection, "A", 7)


def test_recorded_sizes_are_the_stored_objects(engine, library: Library):
    version = carry_out(request("A", library.add_many(3), new=True))
    full, lines = content_of(version)
    assert (len(full), len(lines)) == (version.full.size_bytes, version.lines.size_bytes)
    assert lines.count(b"\n") == version.example_count + 1


def test_an_add_never_parses_what_the_file_holds(engine, library: Library, training_files):
    first = carry_out(request("A", [library.add()], new=True))
    full, _ = content_of(first)
    start, end = first.full.content_start, first.full.content_end
    nonsense = full[:start] + b"\xff" * (end - start) + full[end:]
    training_files.put(first.full.key, nonsense, content_type="application/json")
    second = carry_out(request("A", [library.add()]))
    carried, _ = content_of(second)
    assert carried[second.full.content_start :].startswith(b"\xff" * (end - start) + b",\n    {")


def test_damage_in_the_store_is_carried_by_an_add_and_named_by_verify(
    engine, library: Library, training_files
):
    damaged = library.add()
    first = carry_out(request("A", [damaged], new=True))
    _, lines = content_of(first)
    bent = lines.replace(b"number", b"nomber")
    training_files.put(first.lines.key, bent, content_type="application/jsonl")
    carry_out(request("A", [library.add()]))
    with pytest.raises(Damaged, match=f"{damaged}: its lines in the JSONL differ") as caught:
        verify_version(engine, training_files, "A")
    assert len(caught.value.findings) == 2  # and so there is one conversation less
    with reading(engine) as connection:
        version = find_version(connection, "A")
        recorded = list(members(connection, version))
    download = proven(version, recorded, "jsonl", training_files.chunks(version.lines.key))
    _, meta = next(download)
    assert meta == lines[: first.lines.content_start].replace(b":2,", b":4,")
    with pytest.raises(Damaged, match=str(damaged)):
        next(download)


def test_an_add_to_a_file_whose_object_is_cut_short_writes_nothing(
    engine, library: Library, training_files
):
    first = carry_out(request("A", [library.add()], new=True))
    full, _ = content_of(first)
    training_files.put(first.full.key, full[:-100], content_type="application/json")
    with pytest.raises(Unreachable, match="shorter than its version recorded"):
        carry_out(request("A", [library.add()]))
    with reading(engine) as connection:
        assert find_version(connection, "A") == first


def test_a_committed_version_has_no_row_that_can_be_doubled(engine, library: Library):
    carry_out(request("A", [library.add()], new=True))
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT count(*) FROM trainfold.training_file_conversations "
                "WHERE removed_in IS NULL"
            )
        )
        assert found.scalar() == 1
