"""What differs between two states of a conversation, and how it is shown."""

import orjson
import pytest
from hypothesis import given

from domain.versions.changes import _member
from domain.versions.diff import (
    ABSENT,
    FieldChange,
    compare_conversations,
    compare_members,
    excerpts,
    field_changes,
)
from soak.building import conversation
from tests.domain.making import A, B, C, exactly, fragment_of, json_values, steady


def member(id, position, *, added_in=1, **changes):
    return _member(fragment_of(conversation(id, **changes), id).contribution, position, added_in)


def of(before, after):
    return [(change.path, change.before, change.after) for change in field_changes(before, after)]


@steady
@given(json_values, json_values)
def test_values_without_differences_are_the_same_but_for_the_order_of_keys(one, other):
    assert of(one, one) == []
    if orjson.dumps(one, option=orjson.OPT_SORT_KEYS) != orjson.dumps(
        other, option=orjson.OPT_SORT_KEYS
    ):
        assert of(one, other)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 3}, {"a": 3.0}, [("a", 3, 3.0)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": None}, {}, [("a", None, ABSENT)]),
        ({}, {"a": {"b": []}}, [("a", ABSENT, {"b": []})]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", 2, 3), ("a[2]", ABSENT, 4)]),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, [("a.b", "x", "y")]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a\0\n": 1}, {"a\0\n": 2}, [("a\\x00\\n", 1, 2)]),
        ({"a": {}}, {"a": []}, [("a", {}, [])]),
    ],
)
def test_the_innermost_fields_that_differ_are_named(before, after, expected):
    assert exactly(of(before, after)) == exactly(expected)


def test_pairs_are_matched_by_their_ids():
    old, new = fragment_of(conversation(A)), fragment_of(conversation(A))
    before, after = orjson.loads(old.full), orjson.loads(new.full)
    after["training_pairs"][1]["target_response"] = "Other"
    after["training_pairs"].insert(0, {**after["training_pairs"][0], "id": "new", "turn_number": 0})
    del after["training_pairs"][-1]
    after["conversation_metadata"]["x"] = 1
    one, other = member(A, 1), member(A, 1, turns=6)
    change = compare_conversations(one, other, before, after)
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("conversation_metadata.x", ABSENT, 1)
    ]
    (answer,) = change.pairs[0].fields
    assert (answer.path, answer.after) == ("target_response", "Other")
    found = [(pair.id, pair.change) for pair in change.pairs]
    assert sorted(found) == [
        ("budgeting_turn2", "changed"),
        ("budgeting_turn4", "removed"),
        ("new", "added"),
    ]


def test_pairs_whose_ids_repeat_are_matched_by_their_place():
    before = orjson.loads(fragment_of(conversation(A)).full)
    for pair in before["training_pairs"]:
        pair["id"] = "same"
    after = orjson.loads(orjson.dumps(before))
    after["training_pairs"][2]["turn_number"] = 9
    change = compare_conversations(member(A, 1), member(A, 1), before, after)
    assert [(pair.id, pair.turn_number) for pair in change.pairs] == [("same", 9)]


def test_memberships_tell_what_changed():
    before = [member(A, 1), member(B, 2), member(C, 3)]
    after = [member(B, 2, turns=6, added_in=2), member(C, 4, added_in=3)]
    found = compare_members(before, after)
    assert [m.conversation_id for m in found.removed] == [A]
    assert [(o.conversation_id, n.position) for o, n in found.changed] == [(B, 2)]
    assert [m.position for m in found.moved] == [4]
    assert found.added == []
    assert compare_members(after, before).added[0].conversation_id == A


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a" * 500 + "X" + "b" * 500, "a" * 500 + "Y" + "b" * 500),
        ("a" * 500, "a" * 501),
        (["a" * 500], ["a" * 500, 1]),
        ("", "x" * 1_000),
    ],
)
def test_an_excerpt_shows_where_long_values_begin_to_differ(before, after):
    one, other = excerpts(FieldChange("x", before, after), 100)
    assert one != other
    assert max(len(one), len(other)) <= 102
    assert excerpts(FieldChange("x", ABSENT, "y" * 200), 100)[0] is ABSENT
    assert excerpts(FieldChange("x", 1, None), 100) == (1, None)
