"""Requests while rebuilds, maintenance and verification run on the same training file."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from db.engine import reading
from db.versions import find_version, members, versions
from domain.source.limits import Limits
from domain.versions.requests import RebuildRequest
from operations import resources
from operations.rebuild import RebuildPlan, Rebuilt, compare_members, make_plan, replace_changed
from operations.sweep import sweep_store
from operations.verify import verify_version
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library


def rebuild(name: str) -> Rebuilt:
    engine, store = resources.engine(), resources.training_files_store()
    asked = RebuildRequest(training_file=name, requested_by="a test", request_id=str(uuid4()))
    plan = make_plan(engine, asked)
    assert isinstance(plan, RebuildPlan)
    chunk = list(zip(plan.members, plan.sources, strict=True))
    compared = compare_members(
        resources.conversations_store(),
        store,
        plan.version,
        chunk,
        request=asked,
        limits=Limits(),
    )
    return replace_changed(engine, store, asked, [compared])


def together(*works: Callable[[], object]) -> None:
    """Run all at once; the first failure of any fails the test."""
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    if failures:
        raise failures[0]


def test_adds_while_a_file_is_rebuilt_swept_and_verified(engine, library: Library, training_files):
    first = library.add_many(4)
    carry_out(request("Busy", first, new=True))
    groups = [[library.add_many(2) for _ in range(3)] for _ in range(3)]

    def add(own: list[list[UUID]]) -> None:
        for ids in own:
            carry_out(request("Busy", ids))

    def rebuild_often() -> None:
        for turns in (6, 8, 10):
            for id in first[:2]:
                data = as_bytes(conversation(id, turns=turns))
                library.store.put(f"tests/{id}.json", data, content_type="application/json")
            rebuild("Busy")

    def look_after() -> None:
        for _ in range(6):
            sweep_store(engine, training_files, safe_age=timedelta(hours=2), delete=True)
            verify_version(engine, training_files, "Busy")

    together(*(lambda own=own: add(own) for own in groups), rebuild_often, look_after)

    with reading(engine) as connection:
        made = versions(connection, "Busy")
        held = list(members(connection, find_version(connection, "Busy")))
    ids = [member.conversation_id for member in held]
    assert ids[:4] == first
    assert sorted(ids[4:]) == sorted(id for own in groups for pair in own for id in pair)
    assert [version.number for version in made] == list(range(len(made), 0, -1))
    assert sum(version.reason == "add" for version in made) == 9
    assert {member.statistics.pair_count for member in held[:2]} == {10}
    for version in made:
        verify_version(engine, training_files, "Busy", version.number)


def test_two_rebuilds_at_once_leave_a_sound_file(engine, library: Library, training_files):
    ids = library.add_many(6)
    carry_out(request("Twice", ids, new=True))
    for id in ids[::2]:
        data = as_bytes(conversation(id, turns=6))
        library.store.put(f"tests/{id}.json", data, content_type="application/json")
    together(*[lambda: rebuild("Twice")] * 4)
    with reading(engine) as connection:
        assert [version.number for version in versions(connection, "Twice")] == [2, 1]
        held = list(members(connection, find_version(connection, "Twice")))
    assert [member.conversation_id for member in held] == ids
    verify_version(engine, training_files, "Twice")
