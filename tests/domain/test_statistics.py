"""Statistics are exact sums over pairs (invariant 9)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.source.conversation import TrainingPair
from domain.statistics import (
    ConversationStatistics,
    VersionStatistics,
    decimal,
    of_pairs,
    quality_summary,
    scaffolding_distribution,
    tier,
    total,
)
from soak.building import conversation
from tests.domain.making import A, scores, several, steady

PAIRS = TypeAdapter(list[TrainingPair])


def of_value(value: Any) -> ConversationStatistics:
    return of_pairs(PAIRS.validate_python(value["training_pairs"]))


def of_scores(*numbers: float) -> ConversationStatistics:
    value = conversation(A, turns=len(numbers))
    for pair, number in zip(value["training_pairs"], numbers, strict=True):
        pair["training_metadata"]["quality_score"] = number
    return of_value(value)


def total_of(*numbers: float) -> VersionStatistics:
    return total([of_scores(*numbers)])


def as_stored(statistics: VersionStatistics) -> bytes:
    """Every byte that statistics put into a file or the database."""
    return orjson.dumps(
        [
            quality_summary(statistics),
            scaffolding_distribution(statistics),
            statistics.model_dump(mode="json"),
        ]
    )


@steady
@given(several(), st.data())
def test_a_sum_does_not_depend_on_order_or_grouping(values, data):
    parts = [of_value(value) for value in values]
    shuffled = data.draw(st.permutations(parts))
    cut = data.draw(st.integers(0, len(parts)))
    before = total(shuffled[:cut]) if cut else None
    assert as_stored(total(shuffled[cut:], onto=before)) == as_stored(total(parts))


@steady
@given(st.lists(scores, min_size=1, max_size=8))
def test_the_sum_is_exact_and_the_mean_is_not_rounded(numbers):
    statistics = of_scores(*numbers)
    exact = sum(Fraction(Decimal(repr(float(number)))) for number in numbers)
    assert Fraction(statistics.quality_sum) == exact
    summary = quality_summary(total([statistics]))
    assert summary["avg_quality_score"] == pytest.approx(float(exact / len(numbers)), rel=1e-15)
    assert summary["min_quality_score"] == min(numbers)
    assert summary["max_quality_score"] == max(numbers)


def test_a_mean_has_all_its_digits():
    assert quality_summary(total_of(3, 3, 4))["avg_quality_score"] == 10 / 3


def test_decimals_add_as_decimals():
    assert of_scores(2.8, 2.9, 3.3).quality_mean == 3


def test_many_additions_lose_nothing():
    part = of_scores(1.1, 4.9999999999999991)
    whole = total([part] * 5_000)
    assert Fraction(whole.quality_sum) == 5_000 * Fraction(part.quality_sum)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ("5", "seed_dataset"),
        ("4.5", "seed_dataset"),
        ("4.4999999999", "production"),
        ("3.5", "production"),
        ("3.4999999999", "experimental"),
        ("2.5", "experimental"),
        ("2.4999999999", "rejected"),
        ("1", "rejected"),
    ],
)
def test_a_tier_begins_at_its_bound(score, expected):
    assert tier(Decimal(score)) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((4.4, 4.6), "seed_dataset"),
        ((4.4, 4.5), "production"),
        ((3.3, 3.7), "production"),
        ((2.2, 2.8), "experimental"),
        ((2.1, 2.2, 3.2), "experimental"),
        ((2.5, 2.4), "rejected"),
    ],
)
def test_a_conversations_tier_is_that_of_its_exact_mean(numbers, expected):
    assert of_scores(*numbers).quality_tier == expected


def test_integers_and_floats_give_the_same_statistics_to_the_byte():
    whole, mixed, floating = total_of(3, 4), total_of(3, 4.0), total_of(3.0, 4.0)
    assert as_stored(whole) == as_stored(mixed) == as_stored(floating)


def test_a_whole_number_is_written_as_one():
    summary = quality_summary(total_of(3.0, 3.0))
    assert orjson.dumps(summary["avg_quality_score"]) == b"3"
    assert orjson.dumps(summary["human_reviewed_percentage"]) == b"0"


@pytest.mark.parametrize(("reviewed", "share"), [(0, 0), (1, 100 / 3), (2, 200 / 3), (3, 100)])
def test_the_percentage_counts_pairs_that_a_human_reviewed(reviewed, share):
    value = conversation(A, turns=3)
    for pair in value["training_pairs"][:reviewed]:
        pair["training_metadata"]["human_reviewed"] = True
    summary = quality_summary(total([of_value(value)]))
    assert summary["human_reviewed_count"] == reviewed
    assert summary["human_reviewed_percentage"] == share


def test_conversations_are_counted_by_their_first_pairs_keys():
    value = conversation(A)
    value["training_pairs"][1]["conversation_metadata"]["persona_archetype"] = "other"
    assert scaffolding_distribution(total([of_value(value)] * 3)) == {
        "personas": {"anxious_planner": 3},
        "emotional_arcs": {"fear_to_confidence": 3},
        "training_topics": {"first_budget": 3},
    }


def test_examples_are_pairs_with_a_target_that_says_something():
    value = conversation(A)
    value["training_pairs"][1]["target_response"] = ""
    assert (of_value(value).pair_count, of_value(value).example_count) == (4, 1)


def test_statistics_come_back_from_storage_unchanged():
    statistics = total([of_scores(1.1, 2.7), of_scores(5)])
    assert VersionStatistics.model_validate_json(statistics.model_dump_json()) == statistics


def test_a_score_is_read_as_it_is_written():
    assert decimal(2.8) == Decimal("2.8")
