import json
from uuid import UUID

import pytest
from sqlalchemy import text

from db.engine import reading
from db.versions import find_version, members, versions
from domain.errors import Blocked, Damaged, NotFound
from domain.source.limits import Limits
from domain.versions.requests import RebuildRequest
from flows.rebuild import rebuild_training_file
from operations import resources
from operations.rebuild import RebuildPlan, Rebuilt, compare_members, make_plan, replace_changed
from operations.verify import verify_version
from soak.building import as_bytes, conversation, profile
from tests.asking import carry_out, content_of, request
from tests.conftest import Library

pytestmark = pytest.mark.usefixtures("prefect_server")


def rebuild(name: str, **changes) -> Rebuilt:
    return rebuild_training_file(name, return_state=True, **changes).result()


def enrich_again(library: Library, id: UUID, *, turns: int = 6) -> None:
    """The application writes another file for the conversation."""
    library.files[id] = as_bytes(conversation(id, turns=turns, score=4))
    library.store.put(f"tests/{id}.json", library.files[id], content_type="application/json")


def test_unchanged_sources_make_no_version(library: Library, training_files):
    carry_out(request("Same", library.add_many(3), new=True))
    before = {item.key for item in training_files.listed()}
    state = rebuild_training_file("Same", return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Unchanged")
    assert {item.key for item in training_files.listed()} == before


def test_changed_sources_are_replaced_at_their_place(library: Library, engine, training_files):
    ids = library.add_many(5)
    carry_out(request("Changed", ids[:3], new=True))
    second = carry_out(request("Changed", ids[3:]))
    before = content_of(second)
    for id in (ids[1], ids[2], ids[4]):
        enrich_again(library, id)
    rebuilt = rebuild("Changed", requested_by="Noor")
    assert [each.before.conversation_id for each in rebuilt.changed] == [ids[1], ids[2], ids[4]]
    made = rebuilt.version
    assert (made.number, made.reason, made.created_by) == (3, "rebuild", "Noor")
    assert (made.conversation_count, made.pair_count) == (5, 26)
    verify_version(engine, training_files, "Changed")
    with reading(engine) as connection:
        assert [each.conversation_id for each in members(connection, made)] == ids
        old = find_version(connection, "Changed", 2)
        assert [each.added_in for each in members(connection, old)] == [1, 1, 1, 2, 2]
    verify_version(engine, training_files, "Changed", 2)
    assert content_of(second) == before
    left = [item.key for item in training_files.listed() if "/rebuild-" in item.key]
    assert left == []


def test_a_rebuilt_file_has_the_bytes_of_one_made_from_the_new_sources(library: Library):
    ids = library.add_many(4)
    carry_out(request("Old", ids, new=True))
    for id in ids[::2]:
        enrich_again(library, id)
    rebuilt = rebuild("Old").version
    fresh = carry_out(request("Fresh", ids, new=True))
    one, other = content_of(rebuilt), content_of(fresh)
    assert one[0][rebuilt.full.content_start :] == other[0][fresh.full.content_start :]
    assert one[1][rebuilt.lines.content_start :] == other[1][fresh.lines.content_start :]
    totals = [
        json.loads(full)["training_file_metadata"]["quality_summary"] for full, _ in (one, other)
    ]
    assert totals[0] == totals[1]


def test_what_was_added_after_a_rebuild_follows_it(library: Library, engine, training_files):
    ids = library.add_many(2)
    carry_out(request("Later", [ids[0]], new=True))
    enrich_again(library, ids[0])
    rebuild("Later")
    carry_out(request("Later", [ids[1]]))
    verify_version(engine, training_files, "Later")
    assert rebuild("Later").changed == ()


def test_a_member_that_is_gone_or_not_eligible_blocks_and_is_named(library: Library, engine):
    ids = library.add_many(4)
    carry_out(request("Blocked", ids, new=True))
    change = (
        "UPDATE trainfold.conversations SET enrichment_status = 'enriched' "
        "WHERE conversation_id = :id"
    )
    with engine.begin() as connection:
        connection.execute(text(change), {"id": ids[0]})
        remove = text("DELETE FROM trainfold.conversations WHERE conversation_id = :id")
        connection.execute(remove, {"id": ids[1]})
    state = rebuild_training_file("Blocked", return_state=True)
    assert state.name == "Blocked"
    with pytest.raises(Blocked) as caught:
        state.result()
    found = {reason.conversation_id: reason.code for reason in caught.value.reasons}
    assert found == {str(ids[0]): "not-completed", str(ids[1]): "unknown-conversation"}
    with reading(engine) as connection:
        assert [version.number for version in versions(connection, "Blocked")] == [1]


def test_a_source_that_is_gone_or_another_consultants_blocks(library: Library, training_files):
    ids = library.add_many(3)
    carry_out(request("Sources", ids, new=True))
    enrich_again(library, ids[0])
    library.store.delete(f"tests/{ids[1]}.json")
    stranger = conversation(ids[2]) | {"consultant_profile": profile(name="Somebody Else")}
    library.store.put(f"tests/{ids[2]}.json", as_bytes(stranger), content_type="application/json")
    with pytest.raises(Blocked) as caught:
        rebuild("Sources")
    found = {reason.conversation_id: reason.code for reason in caught.value.reasons}
    assert found == {str(ids[1]): "object-missing", str(ids[2]): "other-consultant"}
    assert not [item.key for item in training_files.listed() if "/rebuild-" in item.key]


def test_the_same_rebuild_request_again_makes_no_second_version(library: Library):
    (id,) = library.add_many(1)
    carry_out(request("Repeated", [id], new=True))
    enrich_again(library, id)
    first = rebuild("Repeated", request_id="rebuild-1").version
    enrich_again(library, id, turns=8)
    assert rebuild("Repeated", request_id="rebuild-1").version == first


def test_a_whole_rebuild_heals_a_damaged_version(library: Library, engine, training_files):
    ids = library.add_many(3)
    version = carry_out(request("Healed", ids, new=True))
    training_files.delete(version.full.key)
    with pytest.raises(Damaged):
        verify_version(engine, training_files, "Healed")
    assert rebuild("Healed").is_new is False
    healed = rebuild("Healed", whole=True)
    assert (healed.version.number, healed.changed) == (2, ())
    verify_version(engine, training_files, "Healed")
    with reading(engine) as connection:
        assert [each.added_in for each in members(connection, healed.version)] == [1, 1, 1]


def test_a_file_that_is_not_there_is_named(library: Library):
    with pytest.raises(NotFound):
        rebuild("Nowhere")


def test_an_add_that_comes_between_is_kept(library: Library, engine, training_files):
    """The sources are compared, somebody adds, and only then the changed ones are replaced."""
    ids = library.add_many(3)
    carry_out(request("Between", ids[:2], new=True))
    enrich_again(library, ids[0])
    asked = RebuildRequest(training_file="Between", requested_by="x", request_id="between-1")
    plan = make_plan(engine, asked)
    assert isinstance(plan, RebuildPlan)
    compared = compare_members(
        resources.conversations_store(),
        training_files,
        plan.version,
        list(zip(plan.members, plan.sources, strict=True)),
        request=asked,
        limits=Limits(),
    )
    carry_out(request("Between", [ids[2]]))
    rebuilt = replace_changed(engine, training_files, asked, [compared])
    assert (rebuilt.version.number, rebuilt.version.conversation_count) == (3, 3)
    verify_version(engine, training_files, "Between")
