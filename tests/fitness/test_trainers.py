"""What trainers learn, with lengths that can be counted on fingers."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fitness.trainers import Trainer, learnt, spoken, trainers
from tests.domain.making import steady

# With five tokens around each turn they end at 15, 30, 65, 80 and 115.
TALK = spoken(10, [("user", 10), ("assistant", 30), ("user", 10), ("assistant", 30)])


def trainer(cutting: str, max_length: int, *, trains_all: bool = False) -> Trainer:
    return Trainer("t", "defaults", max_length, cutting, trains_all, "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cutting", "length", "fates", "trained"),
    [
        ("end", 115, ["whole", "whole"], 60),
        ("end", 114, ["whole", "cut"], 60),
        ("end", 93, ["whole", "cut"], 40),
        ("end", 83, ["whole", "dropped"], 30),
        ("end", 64, ["cut", "dropped"], 30),
        ("end", 0, ["dropped", "dropped"], 0),
        ("conversation", 115, ["whole", "whole"], 60),
        ("conversation", 114, ["dropped", "dropped"], 0),
        ("turns", 115, ["whole", "whole"], 60),
        # 49 are left for a prompt of 18 and an answer of 32.
        ("turns", 114, ["whole", "cut"], 60),
        ("turns", 65, ["whole", "dropped"], 30),
        # Both are too long: an answer of 32 and its prompt of 33 share 40 as they are long.
        ("turns", 40, ["cut", "dropped"], 19),
    ],
)
def test_answers_are_learnt_whole_cut_or_not_at_all(
    cutting: str, length: int, fates: list[str], trained: int
):
    outcome = learnt(trainer(cutting, length), TALK)
    assert outcome.fates == fates
    assert outcome.tokens["assistant"] == trained


def test_a_trainer_that_masks_nothing_learns_to_speak_as_the_client():
    assert learnt(trainer("end", 1_000, trains_all=True), TALK).tokens == Counter(
        system=10, user=20, assistant=60
    )


@given(
    st.integers(0, 3_000),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=8),
)
@steady
def test_with_room_for_everything_each_trainer_learns_everything(
    system: int, exchanges: list[tuple[int, int]]
):
    turns = spoken(system, [turn for u, a in exchanges for turn in (("user", u), ("assistant", a))])
    answers = sum(answer for _, answer in exchanges)
    for each in trainers(turns[-1].after):
        outcome = learnt(each, turns)
        if each.setting == "ours":
            assert set(outcome.fates) == {"whole"}
            assert outcome.tokens == Counter(assistant=answers)
        assert len(outcome.fates) == len(exchanges)
        assert 0 <= outcome.tokens["assistant"] <= answers
