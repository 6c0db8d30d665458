"""The fakes of the commit loop's tests do what PostgreSQL and S3 do: each test runs on both."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from db.commit import PostgresVersionLog
from db.engine import reading
from db.versions import find_version, members, version_of_request
from domain.errors import CommitConflict, NotFound, ObjectMissing
from domain.format.spans import Span
from domain.versions.composing import Composition
from domain.versions.record import Member, VersionRecord
from operations import resources
from tests.domain.making import A, B, C
from tests.operations.compositions import add, rebuild
from tests.operations.fakes import MemoryStore, MemoryVersionLog


class Postgres(PostgresVersionLog):
    """The real log, looked at in the ways that the fake offers."""

    def current(self, name: str) -> VersionRecord | None:
        with reading(self.engine) as connection:
            try:
                return find_version(connection, name)
            except NotFound:
                return None

    def version_of_request(self, request_id: str) -> VersionRecord | None:
        with reading(self.engine) as connection:
            return version_of_request(connection, request_id)

    def members(self, version: VersionRecord) -> list[Member]:
        with reading(self.engine) as connection:
            return list(members(connection, version))

    def archive(self, version: VersionRecord) -> None:
        statement = text("UPDATE trainfold.training_files SET status = 'archived' WHERE id = :id")
        with self.engine.begin() as connection:
            connection.execute(statement, {"id": version.training_file_id})


Log = Postgres | MemoryVersionLog


@pytest.fixture(params=["memory", "PostgreSQL"])
def log(request: pytest.FixtureRequest) -> Log:
    if request.param == "memory":
        return MemoryVersionLog()
    return Postgres(request.getfixturevalue("engine"))


@pytest.fixture(params=["memory", "S3"])
def store(request: pytest.FixtureRequest):
    if request.param == "memory":
        return MemoryStore()
    request.getfixturevalue("stack")
    return resources.training_files_store()


def created(log: Log, name: str = "Spring", ids: Sequence[UUID] = (A, B)) -> Composition:
    composition = add(name, ids, now=log.current_time())
    log.commit(composition)
    return composition


def following(log: Log, ids: Sequence[UUID], name: str = "Spring", **changes) -> Composition:
    base = log.current(name)
    held = log.members(base)
    return add(name, ids, base=base, members=held, now=log.current_time(), **changes)


def held(log: Log, version: VersionRecord) -> list[tuple[UUID, int, int]]:
    return [(each.conversation_id, each.position, each.added_in) for each in log.members(version)]


def test_a_committed_version_is_current_with_its_members(log):
    first = created(log).version
    assert log.current("spring") == log.version_of_request(first.request_id) == first
    assert held(log, first) == [(A, 1, 1), (B, 2, 1)]
    second = following(log, [C])
    log.commit(second)
    assert log.current("Spring") == second.version
    assert held(log, second.version) == [(A, 1, 1), (B, 2, 1), (C, 3, 2)]
    assert held(log, first) == [(A, 1, 1), (B, 2, 1)]


def refused(log: Log, composition: Composition) -> None:
    """A commit that is refused leaves everything as it was."""
    name = composition.version.training_file
    before = log.current(name)
    with pytest.raises(CommitConflict):
        log.commit(composition)
    assert log.current(name) == before


def test_a_version_on_a_stale_base_is_a_conflict(log):
    created(log)
    stale, faster = following(log, [C]), following(log, [uuid4()])
    log.commit(faster)
    refused(log, stale)


def test_a_name_that_is_taken_meanwhile_is_a_conflict(log):
    late = add("SPRING ", [C], now=log.current_time())
    created(log)
    refused(log, late)


def test_a_request_that_made_its_version_is_a_conflict(log):
    first = created(log)
    again = {"request_id": first.version.request_id}
    refused(log, following(log, [C], **again))
    refused(log, add("Other", [C], now=log.current_time(), **again))


def test_a_file_that_is_archived_meanwhile_is_a_conflict(log):
    first = created(log)
    late = following(log, [C])
    log.archive(first.version)
    refused(log, late)


def test_objects_that_maintenance_may_have_removed_are_a_conflict(log):
    refused(log, add("Spring", [A], now=log.current_time() - timedelta(minutes=61)))


def test_a_membership_ends_and_begins_again_at_its_position(log):
    first = created(log, ids=[A, B, C]).version
    rebuilt = rebuild(first, log.members(first), B, now=log.current_time())
    log.commit(rebuilt)
    assert held(log, rebuilt.version) == [(A, 1, 1), (B, 2, 2), (C, 3, 1)]
    assert log.members(rebuilt.version)[1].json_length > log.members(first)[1].json_length
    assert held(log, first) == [(A, 1, 1), (B, 2, 1), (C, 3, 1)]


def test_a_store_composes_reads_and_deletes(store):
    key = f"contract/{uuid4()}"
    old, new = f"{key}/old", f"{key}/new"
    assert store.compose(old, [b"0123456789"], content_type="text/plain") == 10
    assert store.state(old).size_bytes == 10
    assert store.compose(new, [b"<", Span(old, 2, 5), b">"], content_type="text/plain") == 5
    assert b"".join(store.chunks(new)) == b"<234>"
    assert b"".join(store.chunks(new, 1, 4)) == b"234"
    store.delete(old)
    store.delete(old)
    with pytest.raises(ObjectMissing):
        b"".join(store.chunks(old))
    with pytest.raises(ObjectMissing):
        store.compose(new, [Span(old, 2, 5)], content_type="text/plain")
