"""Statistics of conversations, kept exact so that they add up in any order (invariant 9).

Scores are decimals as they stand in the file; sums are exact, so adding A and then B gives the
statistics of A+B to the last digit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.conversation import TrainingPair

TIERS = (
    (Decimal("4.5"), "seed_dataset"),
    (Decimal("3.5"), "production"),
    (Decimal("2.5"), "experimental"),
)


class Statistics(BaseModel):
    """Of one conversation, or the sum of many. Scores run over pairs, the counts over
    conversations.
    """

    model_config = ConfigDict(frozen=True)

    conversations: int
    pairs: int
    examples: int
    human_reviewed: int
    quality_sum: Decimal
    quality_min: Decimal
    quality_max: Decimal
    personas: dict[str, int]
    emotional_arcs: dict[str, int]
    training_topics: dict[str, int]
    tiers: dict[str, int]

    @property
    def quality_mean(self) -> Decimal:
        return self.quality_sum / self.pairs

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            conversations=self.conversations + other.conversations,
            pairs=self.pairs + other.pairs,
            examples=self.examples + other.examples,
            human_reviewed=self.human_reviewed + other.human_reviewed,
            quality_sum=self.quality_sum + other.quality_sum,
            quality_min=min(self.quality_min, other.quality_min),
            quality_max=max(self.quality_max, other.quality_max),
            personas=_merged(self.personas, other.personas),
            emotional_arcs=_merged(self.emotional_arcs, other.emotional_arcs),
            training_topics=_merged(self.training_topics, other.training_topics),
            tiers=_merged(self.tiers, other.tiers),
        )


def total(parts: Iterable[Statistics]) -> Statistics:
    """The sum of at least one part."""
    first, *rest = parts
    result = first
    for part in rest:
        result = result + part
    return result


def of_pairs(pairs: Sequence[TrainingPair]) -> Statistics:
    """Of one conversation, from its pairs; the file's own summary is never trusted."""
    scores = [decimal(pair.training_metadata.quality_score) for pair in pairs]
    scaffolding = pairs[0].conversation_metadata
    return Statistics(
        conversations=1,
        pairs=len(pairs),
        examples=sum(bool(pair.target_response) for pair in pairs),
        human_reviewed=sum(pair.training_metadata.human_reviewed for pair in pairs),
        quality_sum=sum(scores, Decimal()),
        quality_min=min(scores),
        quality_max=max(scores),
        personas={scaffolding.persona_archetype: 1},
        emotional_arcs={scaffolding.emotional_arc_key: 1},
        training_topics={scaffolding.training_topic_key: 1},
        tiers={tier(sum(scores, Decimal()) / len(scores)): 1},
    )


def tier(score: Decimal) -> str:
    """The quality tier of a score (docs/format.md)."""
    return next((name for bound, name in TIERS if score >= bound), "rejected")


def decimal(score: float) -> Decimal:
    """The number as it is written, so that 2.8 is 2.8."""
    return Decimal(repr(score))


def plain(number: Decimal) -> int | float:
    """A JSON number that does not depend on how its parts were written: 3, not 3.0."""
    return int(number) if number == number.to_integral_value() else float(number)


def quality_summary(statistics: Statistics) -> dict[str, int | float]:
    share = Decimal(100 * statistics.human_reviewed) / statistics.pairs
    return {
        "avg_quality_score": plain(statistics.quality_mean),
        "min_quality_score": plain(statistics.quality_min),
        "max_quality_score": plain(statistics.quality_max),
        "human_reviewed_count": statistics.human_reviewed,
        "human_reviewed_percentage": plain(share),
    }


def scaffolding_distribution(statistics: Statistics) -> dict[str, Any]:
    return {
        "personas": statistics.personas,
        "emotional_arcs": statistics.emotional_arcs,
        "training_topics": statistics.training_topics,
    }


def _merged(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    # Sorted, because the order of addition must not show in the bytes (invariant 7).
    return dict(sorted((Counter(one) + Counter(other)).items()))
