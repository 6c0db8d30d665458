"""Sides of a split: stored once, alike conversations together, each arc near the fraction."""

import random
from fractions import Fraction
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.exports import Side
from domain.exports.likeness import NEAR, LikenessIndex, jaccard, likeness_of
from domain.exports.splits import (
    Unassigned,
    arcs_without_validation,
    assign,
    exact_fraction,
    sizes_by_arc,
)
from tests.domain.making import FILE_ID, steady

VOCABULARY = [f"word{n}" for n in range(4_000)]
TENTH = Fraction(1, 10)


def text(seed: object, words: int = 120) -> str:
    return " ".join(random.Random(str(seed)).choices(VOCABULARY, k=words))


def with_words_changed(original: str, share: float, seed: object = 0) -> str:
    words, chance = original.split(), random.Random(str(seed))
    for place in chance.sample(range(len(words)), round(share * len(words))):
        words[place] = chance.choice(VOCABULARY)
    return " ".join(words)


def pairs(*turns: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"current_user_input": user, "target_response": target} for user, target in turns]


def new(number: int, target: str, said: str | None = None, arc: str = "arc") -> Unassigned:
    turns = pairs((said or text(("user", number)), target))
    return Unassigned(UUID(int=number), arc, likeness_of(turns))


def placed(*groups: list[Unassigned], fraction: Fraction = TENTH) -> dict[UUID, Side]:
    """Sides after adding one group after the other."""
    sides: dict[UUID, Side] = {}
    before: list[Unassigned] = []
    for group in groups:
        sides |= assign(
            group,
            assigned=dict(sides),
            arcs={member.conversation_id: member.arc for member in before},
            contents=[(member.conversation_id, member.likeness) for member in before],
            fraction=fraction,
            seed=FILE_ID,
        )
        before += group
    return sides


def test_each_arc_has_the_fraction_to_within_one_conversation():
    members = [new(n, text(n), arc=f"arc {n % 3}") for n in range(180)]
    arcs = {member.conversation_id: member.arc for member in members}
    for sizes in sizes_by_arc(arcs, placed(members)).values():
        assert sum(sizes) == 60
        assert sizes.validation in {6, 7}


def test_a_file_that_grows_one_by_one_ends_as_one_that_was_split_at_once():
    members = [new(n, text(n), arc=f"arc {n % 3}") for n in range(90)]
    assert placed(*([member] for member in members)) == placed(members)


@pytest.mark.parametrize("share", [0, 0.02, 0.05, 0.1])
def test_copies_with_some_words_changed_are_on_one_side(share: float):
    originals = [new(n, text(n, 300)) for n in range(60)]
    copies = [
        new(1000 + n, with_words_changed(text(n, 300), share), said=text(("user", n)))
        for n in range(60)
    ]
    for order in ([originals, copies], [originals + copies], [copies, originals]):
        sides = placed(*order)
        assert all(sides[UUID(int=n)] == sides[UUID(int=1000 + n)] for n in range(60))
        assert "validation" in sides.values()


def test_the_same_answer_to_another_question_is_on_the_same_side():
    answer = "Write down one number tonight, and show it to nobody."
    others = [new(n, text(n)) for n in range(40)]
    same = [new(200 + n, answer.upper() if n % 2 else answer) for n in range(8)]
    sides = placed(others[:20], [*same[:2], *others[20:]], same[2:])
    assert len({sides[member.conversation_id] for member in same}) == 1


def test_a_phrase_that_everybody_says_does_not_bind_conversations():
    thanks = ("Thanks!", "You are welcome. Take care!")
    turns = [pairs((text(n), text(("answer", n))), thanks) for n in range(50)]
    sides = placed([Unassigned(UUID(int=n), "arc", likeness_of(t)) for n, t in enumerate(turns)])
    assert list(sides.values()).count("validation") in {5, 6}


def test_a_family_that_is_too_large_for_validation_is_trained():
    family = [new(n, with_words_changed(text("one"), 0.01, n), said=text("q")) for n in range(30)]
    others = [new(100 + n, text(100 + n)) for n in range(30)]
    sides = placed([*family, *others])
    assert {sides[member.conversation_id] for member in family} == {"train"}
    assert list(sides.values()).count("validation") >= 5


def test_an_arc_without_validation_is_named():
    arcs = {UUID(int=1): "small", UUID(int=2): "large", UUID(int=3): "large"}
    sides: dict[UUID, Side] = {
        UUID(int=1): "train", UUID(int=2): "train", UUID(int=3): "validation"
    }  # fmt: skip
    assert arcs_without_validation(arcs, sides) == ["small"]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan"), float("inf")])
def test_a_fraction_is_between_none_and_all(fraction: float):
    with pytest.raises(ValueError, match=r"fraction|Fraction"):
        exact_fraction(fraction)


def test_a_fraction_is_what_was_written():
    assert exact_fraction(0.1) == TENTH


@pytest.mark.parametrize(
    "said", ["", " ", "\0", "!?", "\ud800", "שלום", "a" * 100_000, "one two", "\\n" * 50]
)
def test_any_text_has_a_likeness(said: str):
    likeness = likeness_of(pairs((said, said), (said, None)))
    index: LikenessIndex[int] = LikenessIndex()
    index.add(1, likeness)
    near = dict(index.near(likeness))
    assert near == ({1: 1.0} if likeness.shingles else {})


changes = st.lists(
    st.one_of(
        # Adds conversations: of an original, with a share of its words changed, in an arc.
        st.lists(
            st.tuples(st.integers(0, 9), st.sampled_from([0, 0.02, 0.04, 0.8]), st.integers(0, 1)),
            min_size=1,
            max_size=10,
        ),
        # Removes every so many, or adds all that were removed again.
        st.integers(0, 4),
    ),
    min_size=2,
    max_size=8,
)


# Whatever has up to 4 % of its words changed is alike; where likeness is not transitive, a new one
# may be like two on different sides.
@given(changes)
@settings(steady, max_examples=50)
def test_nobody_changes_sides_and_nothing_leaks_while_a_file_grows_and_shrinks(history: Any):
    sides: dict[UUID, Side] = {}
    ever: dict[UUID, Unassigned] = {}
    held: dict[UUID, Unassigned] = {}
    for change in history:
        if change == 0:
            held = dict(ever)
        elif isinstance(change, int):
            held = {id: m for place, (id, m) in enumerate(held.items()) if place % (change + 1)}
        else:
            for original, share, arc in change:
                target = with_words_changed(text(original), share, len(ever))
                member = new(len(ever), target, said=text(("q", original), 20), arc=f"arc {arc}")
                ever[member.conversation_id] = held[member.conversation_id] = member
        given_sides = assign(
            [member for id, member in held.items() if id not in sides],
            assigned=sides,
            arcs={id: member.arc for id, member in held.items() if id in sides},
            contents=[(id, ever[id].likeness) for id in sides],
            fraction=Fraction(1, 4),
            seed=FILE_ID,
        )
        assert not given_sides.keys() & sides.keys()
        sides = {**sides, **given_sides}
        assert held.keys() <= sides.keys()
    for one, other in combinations(ever, 2):
        if jaccard(ever[one].likeness, ever[other].likeness) >= NEAR:
            assert sides[one] == sides[other]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.02, 0.05, 0.1, 0.3, 0.6])),
             min_size=2, max_size=14),
    st.sampled_from([20, 60, 400]),
)  # fmt: skip
@steady
def test_the_index_finds_what_comparing_each_with_each_finds(
    drawn: list[tuple[int, float]], words: int
):
    likenesses = [
        likeness_of(pairs((with_words_changed(text(original, words), share, place), None)))
        for place, (original, share) in enumerate(drawn)
    ]
    index: LikenessIndex[int] = LikenessIndex()
    found, first = set(), dict[bytes, int]()
    for place, likeness in enumerate(likenesses):
        found |= {(other, place) for other, _ in index.near(likeness)}
        index.add(place, likeness)
        first.setdefault(likeness.shingles, place)
    expected = {
        (one, other)
        for one, other in combinations(range(len(likenesses)), 2)
        if jaccard(likenesses[one], likenesses[other]) >= NEAR
        and first[likenesses[one].shingles] == one
    }
    assert found == expected
