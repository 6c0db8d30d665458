"""`diff`, on real versions."""

import re
from uuid import UUID

import pytest

from operations import resources
from operations.diff import compare_versions
from soak.building import as_bytes, conversation
from tests.asking import carry_out, go_back, request, take_out
from tests.conftest import Library
from tests.operations.rebuilding import rebuild


@pytest.fixture
def ids(library: Library) -> list[UUID]:
    """Four versions: created with three, two added, the second changed, the first removed."""
    ids = library.add_many(5)
    carry_out(request("שיחות", ids[:3], new=True))
    carry_out(request("שיחות", ids[3:]))
    value = conversation(ids[1])
    value["training_pairs"][3]["target_response"] = "\x1b[31m[bold]Another answer[/bold]"
    value["training_pairs"][3]["training_metadata"]["quality_score"] = 3.5
    data = as_bytes(value)
    library.store.put(f"tests/{ids[1]}.json", data, content_type="application/json")
    rebuild("שיחות")
    take_out("שיחות", [ids[0]])
    return ids


def test_a_difference_has_conversations_fields_and_numbers(trainfold, ids):
    found = trainfold("diff", "שיחות", "1", "--json").json
    assert (found["from"], found["to"], found["identical"]) == (1, 4, False)
    assert found["added"] == {"count": 2, "conversation_ids": list(map(str, ids[3:])), "more": 0}
    assert found["removed"]["conversation_ids"] == [str(ids[0])]
    assert found["moved"]["count"] == 0
    (change,) = found["changed"]["conversations"]
    assert change["conversation_id"] == str(ids[1])
    changed = {pair["turn_number"]: pair for pair in change["pairs"]}
    assert {it["path"]: (it["before"], it["after"]) for it in changed[4]["fields"]} == {
        "target_response": (
            "Let us write down one number today — number 4.",
            "\x1b[31m[bold]Another answer[/bold]",
        ),
        "training_metadata.quality_score": (3, 3.5),
    }
    one, other = found["statistics"]["from"], found["statistics"]["to"]
    assert (one["conversations"], other["conversations"]) == (3, 4)
    assert other["quality_summary"]["max_quality_score"] == 3.5


def test_people_see_it_as_tables_without_control_characters(trainfold, ids):
    ran = trainfold("diff", "שיחות", "1", "3")
    assert ran.code == 0, ran.err
    assert "“שיחות”, from version 1 to version 3: 2 added, 0 removed, 1 changed, 0 moved" in ran.out
    assert f"In {ids[1]}:" in ran.out
    assert "\\x1b[31m[bold]Another answer[/bold]" in ran.out
    assert "\x1b" not in ran.out
    assert "quality_score" in ran.out
    assert re.search(r"^conversations +3 +5 +\+2$", ran.out, re.MULTILINE)


def test_lists_end_at_the_limit_and_say_how_many_there_are(trainfold, library: Library, ids):
    carry_out(request("שיחות", library.add_many(30)))
    found = trainfold("diff", "שיחות", "1", "--limit", "3", "--json").json
    assert found["added"]["count"] == 32
    assert (len(found["added"]["conversation_ids"]), found["added"]["more"]) == (3, 29)
    assert "and 29 more" in trainfold("diff", "שיחות", "1", "--limit", "3").out
    for limit in ("0", "1001"):
        assert trainfold("diff", "שיחות", "1", "--limit", limit).code == 2


def test_a_difference_is_found_both_ways_and_none_between_equals(trainfold, ids):
    back = trainfold("diff", "שיחות", "4", "1", "--json").json
    assert back["removed"]["conversation_ids"] == list(map(str, ids[3:]))
    go_back("שיחות", 1)
    same = trainfold("diff", "שיחות", "1", "latest", "--json").json
    assert (same["identical"], same["added"]["count"], same["changed"]["count"]) == (True, 0, 0)
    assert "hold the same conversations" in trainfold("diff", "שיחות", "1").out
    assert trainfold("diff", "שיחות", "1", "9").code == 4
    assert trainfold("diff", "שיחות", "no tag").code == 2


def test_what_was_removed_and_added_again_has_moved(trainfold, library: Library):
    ids = library.add_many(2)
    carry_out(request("Moved", ids, new=True))
    take_out("Moved", ids[:1])
    carry_out(request("Moved", ids[:1]))
    found = trainfold("diff", "Moved", "1", "--json").json
    assert found["identical"] is False
    assert found["moved"]["conversation_ids"] == [str(ids[0])]
    assert (found["added"]["count"], found["removed"]["count"]) == (0, 0)


def test_only_the_first_changed_conversations_are_read_and_damage_is_noticed(
    trainfold, engine, library: Library, training_files
):
    ids = library.add_many(3)
    first = carry_out(request("Read", ids, new=True))
    for id in ids:
        data = as_bytes(conversation(id, turns=6))
        library.store.put(f"tests/{id}.json", data, content_type="application/json")
    rebuild("Read")
    store = resources.training_files_store()
    found = compare_versions(engine, store, "Read", "1", max_changed=2)
    assert [change.conversation_id for change in found.details] == ids[:2]
    assert [pair.change for pair in found.details[0].pairs] == ["added", "added"]
    full = b"".join(store.chunks(first.full.key))
    store.put(first.full.key, full.replace(b"one number", b"two number"), content_type="x/y")
    ran = trainfold("diff", "Read", "1")
    assert ran.code == 1
    assert "is damaged" in ran.err
