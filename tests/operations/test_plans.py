"""Plans: what matches is fixed, added in parts, and resumed with nothing lost or doubled."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from db.engine import reading
from db.versions import find_version, member_ids
from domain.errors import Blocked, NotFound, PlanStopped
from domain.source.limits import Limits
from domain.versions.matching import parse_conditions
from domain.versions.plans import MAX_PLAN_ID_LENGTH, AddPlan, PlanRequest
from domain.versions.record import VersionRecord
from domain.versions.requests import FileCommand
from operations import bulk, resources
from operations.parts import make_part, read_part
from operations.plans import make_plan, plan_progress, propose
from operations.rename import rename
from tests.asking import carry_out, content_of, request, take_out
from tests.conftest import Library

LIMITS = Limits()


def asked(name: str, *conditions: str, **changes: Any) -> PlanRequest:
    values = {"requested_by": "a test", "request_id": str(uuid4())} | changes
    return PlanRequest(training_file=name, matching=parse_conditions(conditions), **values)


def planned(name: str, *conditions: str, **changes: Any) -> AddPlan:
    return make_plan(resources.engine(), asked(name, *conditions, **changes))


def add_part(plan: AddPlan, number: int) -> VersionRecord:
    engine, store = resources.engine(), resources.training_files_store()
    read = read_part(engine, resources.conversations_store(), plan, number, limits=LIMITS)
    return read if isinstance(read, VersionRecord) else make_part(engine, store, plan, number, read)


def add_parts(plan: AddPlan) -> list[VersionRecord]:
    return [add_part(plan, number) for number in range(1, plan.part_count + 1)]


def add_at_once(plan: AddPlan) -> VersionRecord:
    engine, store = resources.engine(), resources.training_files_store()
    pieces = []
    for number in range(1, len(bulk.chunks(plan)) + 1):
        source = resources.conversations_store()
        pieces += bulk.spool(engine, source, store, plan, number, limits=LIMITS)
    return bulk.make_one_version(engine, store, plan, pieces)


def members(name: str) -> list[UUID]:
    with reading(resources.engine()) as connection:
        return list(member_ids(connection, find_version(connection, name)))


def many(library: Library, count: int, **row: Any) -> list[UUID]:
    """Add conversations, the oldest first, although not in this order."""
    days = [f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(count)]
    ids = {day: library.add(created_at=day, **row) for day in sorted(days, key=lambda it: it[::-1])}
    return [ids[day] for day in days]


def test_all_that_match_are_added_oldest_first_one_version_for_each_80(library: Library):
    ids = many(library, 165)
    library.add(tier="rejected", enrichment_status="enriched")
    library.batch(*ids, name="spring")
    plan = planned("Talks", "batch=spring", new=True, description="for all")
    assert (plan.matched, plan.in_file, plan.part_count) == (165, 0, 3)
    made = add_parts(plan)
    assert [(it.reason, it.conversation_count) for it in made] == [
        ("create", 80), ("add", 160), ("add", 165),
    ]  # fmt: skip
    assert members("Talks") == ids
    progress = plan_progress(resources.engine(), plan.request.request_id)
    assert (progress.versions, progress.added, progress.is_done) == ({1: 1, 2: 2, 3: 3}, 165, True)


def test_what_is_in_the_file_is_left_out_and_counted(library: Library):
    first, second, third = many(library, 3)
    carry_out(request("Talks", [second], new=True))
    proposal = propose(resources.engine(), asked("Talks", "status=completed"))
    assert (proposal.matched, proposal.in_file) == (3, 1)
    assert proposal.conversation_ids == (first, third)


def test_one_that_does_not_qualify_blocks_all_unless_a_condition_excludes_it(library: Library):
    many(library, 81, tier="production")
    waiting = library.add(tier="production", enrichment_status="enriched")
    pathless = library.add(tier="production", enriched_file_path=None)
    with pytest.raises(Blocked) as blocked:
        planned("Talks", "tier=production", new=True)
    assert {(reason.conversation_id, reason.code) for reason in blocked.value.reasons} == {
        (str(waiting), "not-completed"),
        (str(pathless), "no-enriched-file"),
    }
    library.engine.dispose()
    with library.engine.begin() as connection:
        connection.execute(text("UPDATE trainfold.conversations SET tier = 'x' "
                                "WHERE enriched_file_path IS NULL"))  # fmt: skip
    assert planned("Talks", "tier=production", "status=completed", new=True).matched == 81


def test_a_plan_takes_the_same_conversations_however_late_it_is_resumed(library: Library):
    ids = many(library, 90)
    plan = planned("Talks", "status=completed", new=True, request_id="backfill")
    add_part(plan, 1)
    library.add(created_at="2020-01-01")
    again = planned("Talks", "status=completed", new=True, request_id="backfill")
    assert again.conversation_ids == tuple(ids)
    assert [it.number for it in add_parts(again)] == [1, 2]
    assert [it.number for it in add_parts(again)] == [1, 2]
    assert members("Talks") == ids


def test_a_plan_that_two_carry_out_at_once_is_carried_out_once(library: Library):
    ids = many(library, 170)
    plan = planned("Talks", "status=completed", new=True)
    with ThreadPoolExecutor(3) as pool:
        made = [future.result() for future in [pool.submit(add_parts, plan) for _ in range(3)]]
    assert [[it.number for it in each] for each in made] == [[1, 2, 3]] * 3
    assert members("Talks") == ids


def test_an_id_is_of_one_plan(library: Library):
    library.add()
    planned("Talks", "status=completed", new=True, request_id="mine")
    for name, conditions, changes in (
        ("Other", ["status=completed"], {"new": True}),
        ("Talks", ["tier=x"], {"new": True}),
        ("Talks", ["status=completed"], {}),
        ("Talks", ["status=completed"], {"new": True, "one_version": True}),
    ):
        with pytest.raises(Blocked) as blocked:
            planned(name, *conditions, request_id="mine", **changes)
        assert blocked.value.reasons[0].code == "request-id-reused"


def test_one_version_with_all_has_the_bytes_that_parts_give(library: Library):
    many(library, 85)
    parts = add_parts(planned("Parts", "status=completed", new=True))[-1]
    store = resources.training_files_store()
    before = {it.key for it in store.listed()}
    whole = add_at_once(planned("Whole", "status=completed", new=True, one_version=True))
    assert (whole.number, whole.conversation_count) == (1, 85)
    assert (whole.full.digest, whole.lines.digest) == (parts.full.digest, parts.lines.digest)
    assert {it.key for it in store.listed()} - before == {whole.full.key, whole.lines.key}
    one, other = content_of(parts), content_of(whole)
    for version, content in ((parts, one), (whole, other)):
        assert len(content[0]) == version.full.size_bytes
    assert (
        one[0][parts.full.content_start : parts.full.content_end]
        == (other[0][whole.full.content_start : whole.full.content_end])
    )
    assert one[1][parts.lines.content_start :] == other[1][whole.lines.content_start :]


def test_one_version_gives_lines_of_ids_that_begin_alike_their_own_labels(library: Library):
    alike = [UUID(f"abcdabcd-0000-4000-8000-00000000000{n}") for n in range(3)]
    for n, id in enumerate(alike):
        library.add(id, created_at=f"2026-01-0{n + 1}")
    whole = add_at_once(planned("Whole", "status=completed", new=True, one_version=True))
    parts = add_parts(planned("Parts", "status=completed", new=True))[-1]
    assert content_of(whole)[1].split(b"\n")[1:] == content_of(parts)[1].split(b"\n")[1:]
    assert whole.lines.digest == parts.lines.digest


def test_a_file_that_cannot_be_read_stops_its_part_and_those_before_it_stay(library: Library):
    ids = many(library, 161)
    store = library.store
    key = f"tests/{ids[80]}.json"
    store.put(key, b"{", content_type="application/json")
    plan = planned("Talks", "status=completed", new=True)
    add_part(plan, 1)
    with pytest.raises(PlanStopped) as stopped:
        add_part(plan, 2)
    first, *others = stopped.value.reasons
    assert first.code == "plan-stopped"
    assert "Part 2 of 3" in first.reason
    assert plan.request.request_id in first.reason
    assert {reason.conversation_id for reason in others} == {str(ids[80])}
    assert "nothing was written:" not in str(stopped.value)
    assert members("Talks") == ids[:80]
    store.put(key, library.files[ids[80]], content_type="application/json")
    assert [it.number for it in add_parts(plan)] == [1, 2, 3]
    assert members("Talks") == ids


def test_a_plan_does_not_follow_a_name_to_another_file(library: Library):
    ids = many(library, 81)
    plan = planned("Talks", "status=completed", new=True)
    add_part(plan, 1)
    rename(resources.engine(), FileCommand(training_file="Talks", requested_by="x",
                                           request_id="r"), "Old")  # fmt: skip
    carry_out(request("Talks", [library.add()], new=True))
    with pytest.raises(NotFound, match="renamed to “Old”"):
        add_part(plan, 2)
    assert members("Old") == ids[:80]


def test_what_another_request_added_meanwhile_is_not_added_twice(library: Library):
    ids = many(library, 81)
    plan = planned("Talks", "status=completed", new=True)
    add_part(plan, 1)
    carry_out(request("Talks", [ids[80]]))
    with pytest.raises(PlanStopped) as stopped:
        add_part(plan, 2)
    assert [reason.code for reason in stopped.value.reasons] == ["plan-stopped", "already-member"]
    fresh = propose(resources.engine(), asked("Talks", "status=completed"))
    assert (fresh.in_file, fresh.conversation_ids) == (81, ())


def test_a_removed_conversation_is_added_again(library: Library):
    ids = many(library, 2)
    add_parts(planned("Talks", "status=completed", new=True))
    take_out("Talks", ids[:1])
    assert propose(resources.engine(), asked("Talks", "status=completed")).conversation_ids == (
        ids[0],
    )


def test_nothing_that_matches_and_names_that_do_not_exist_are_not_found(library: Library):
    library.add()
    for condition in ("tier=none", "batch=nowhere", "not-in=nowhere", "text=zebra"):
        with pytest.raises(NotFound, match=r"Nothing was changed|There is no"):
            planned("Talks", condition, new=True)
    with pytest.raises(NotFound, match="There is no plan"):
        plan_progress(resources.engine(), "nowhere\0")


@pytest.mark.parametrize("name", ["", "a/b", "x" * 121, "a\0b", "\u202e"])
def test_hostile_names_are_blocked_before_they_are_looked_up(library: Library, name: str):
    library.add()
    with pytest.raises(Blocked) as blocked:
        planned(name, "status=completed", new=True)
    assert blocked.value.reasons[0].code == "bad-name"


def test_a_long_hebrew_name_and_the_longest_id_are_fine(library: Library):
    library.add()
    name, id = "שיחות" * 24, "x" * MAX_PLAN_ID_LENGTH
    (made,) = add_parts(planned(name, "status=completed", new=True, request_id=id))
    assert (made.training_file, made.request_id) == (name, f"{id}-0001")
    with pytest.raises(Blocked, match="at most"):
        planned(name, "status=completed", request_id=id + "x")
    with pytest.raises(Blocked):
        planned(name, "status=completed", request_id="no spaces")


def test_one_version_extends_a_file_that_exists(library: Library):
    before = many(library, 3)
    carry_out(request("Talks", before, new=True))
    ids = many(library, 4)
    made = add_at_once(planned("Talks", "status=completed", one_version=True))
    assert (made.number, made.conversation_count) == (2, 7)
    assert set(members("Talks")) == {*before, *ids}
