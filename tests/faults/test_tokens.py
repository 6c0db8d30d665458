from uuid import UUID

import pytest

from soak.chance import Chance
from soak.library import new_conversation, new_revision
from soak.tokens import tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3", "3.0"),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
        ("[1, 2]", "[2, 1]"),
        ('"3"', "3"),
        ("true", "1"),
        ("null", '""'),
    ],
)
def test_different_tokens_are_different(one: str, other: str):
    assert tokens(one) == tokens(one)
    assert tokens(one) != tokens(other)


def test_white_space_and_escapes_make_no_difference():
    assert tokens('{"a":"\\u00fc"}') == tokens('{ "a" : "ü" }')


def test_what_is_not_json_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        tokens("[NaN]")


def test_sources_are_uneven_and_warn_of_something():
    made = [new_conversation(Chance(f"source {number}")) for number in range(60)]
    codes = {warning.code for revision in made for warning in revision.planted}
    assert codes == {
        "unknown-word",
        "scaffolding-varies",
        "scaffolding-differs",
        "cut-off",
        "damaged-context",
        "double-escaped",
        "empty-target",
    }
    assert {revision.sums.tier for revision in made} > {"production", "experimental"}
    assert any(b"soak_extra" in revision.data for revision in made)


def test_two_revisions_of_a_conversation_share_its_id_and_no_message():
    id = UUID(int=7)
    one, other = (new_revision(Chance(seed), id) for seed in ("one", "other"))
    assert one.fragment != other.fragment
