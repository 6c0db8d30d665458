"""Statistics of conversations and of versions, kept exact so that they add up in any order.

Scores are decimals as they are written in the file. Sums are exact, so adding A and then B gives
the statistics of A+B to the last digit (invariants 7 and 9).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from domain.frozen import FrozenModel
from domain.source.conversation import TrainingPair

TIERS = (
    (Decimal("4.5"), "seed_dataset"),
    (Decimal("3.5"), "production"),
    (Decimal("2.5"), "experimental"),
)


class ConversationStatistics(FrozenModel):
    """The statistics of one conversation's pairs."""

    pair_count: int
    example_count: int
    human_reviewed_count: int
    """Of pairs."""
    quality_sum: Decimal
    quality_min: Decimal
    quality_max: Decimal
    quality_tier: str
    persona_key: str
    emotional_arc_key: str
    training_topic_key: str

    @property
    def quality_mean(self) -> Decimal:
        return self.quality_sum / self.pair_count


class VersionStatistics(FrozenModel):
    """The sum over a version's conversations: scores run over pairs, counts over conversations.

    The database holds it as JSON, so field names are a storage format.
    """

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


def of_pairs(pairs: Sequence[TrainingPair]) -> ConversationStatistics:
    """Compute a conversation's statistics; the file's own summary is never trusted."""
    scores = [decimal(pair.training_metadata.quality_score) for pair in pairs]
    scaffolding = pairs[0].conversation_metadata
    return ConversationStatistics(
        pair_count=len(pairs),
        example_count=sum(bool(pair.target_response) for pair in pairs),
        human_reviewed_count=sum(pair.training_metadata.human_reviewed for pair in pairs),
        quality_sum=sum(scores, Decimal()),
        quality_min=min(scores),
        quality_max=max(scores),
        quality_tier=tier(sum(scores, Decimal()) / len(scores)),
        persona_key=scaffolding.persona_archetype,
        emotional_arc_key=scaffolding.emotional_arc_key,
        training_topic_key=scaffolding.training_topic_key,
    )


def total(
    conversations: Iterable[ConversationStatistics], onto: VersionStatistics | None = None
) -> VersionStatistics:
    """Sum the statistics of conversations and, if given, of those before them; at least one."""
    added = list(conversations)
    before = [onto] if onto else []
    scored: list[ConversationStatistics | VersionStatistics] = [*before, *added]

    def counts(field: str, keys: Iterable[str]) -> dict[str, int]:
        counter = Counter(keys)
        counter.update(getattr(onto, field) if onto else {})
        # Sorted, because the order of addition must not show in the bytes (invariant 7).
        return dict(sorted(counter.items()))

    return VersionStatistics(
        conversations=len(added) + sum(part.conversations for part in before),
        pairs=sum(part.pair_count for part in added) + sum(part.pairs for part in before),
        examples=sum(part.example_count for part in added) + sum(part.examples for part in before),
        human_reviewed=sum(part.human_reviewed_count for part in added)
        + sum(part.human_reviewed for part in before),
        quality_sum=sum((part.quality_sum for part in scored), Decimal()),
        quality_min=min(part.quality_min for part in scored),
        quality_max=max(part.quality_max for part in scored),
        personas=counts("personas", (part.persona_key for part in added)),
        emotional_arcs=counts("emotional_arcs", (part.emotional_arc_key for part in added)),
        training_topics=counts("training_topics", (part.training_topic_key for part in added)),
        tiers=counts("tiers", (part.quality_tier for part in added)),
    )


def tier(score: Decimal) -> str:
    """Return the quality tier of a score (docs/format.md)."""
    return next((name for bound, name in TIERS if score >= bound), "rejected")


def decimal(score: float) -> Decimal:
    """Return the score as written, so that 2.8 is exactly 2.8."""
    return Decimal(repr(score))


def plain(number: Decimal) -> int | float:
    """Return a JSON number that does not depend on how its parts were written: 3, not 3.0."""
    return int(number) if number == number.to_integral_value() else float(number)


def quality_summary(statistics: VersionStatistics) -> dict[str, int | float]:
    share = Decimal(100 * statistics.human_reviewed) / statistics.pairs
    return {
        "avg_quality_score": plain(statistics.quality_mean),
        "min_quality_score": plain(statistics.quality_min),
        "max_quality_score": plain(statistics.quality_max),
        "human_reviewed_count": statistics.human_reviewed,
        "human_reviewed_percentage": plain(share),
    }


def scaffolding_distribution(statistics: VersionStatistics) -> dict[str, Any]:
    return {
        "personas": statistics.personas,
        "emotional_arcs": statistics.emotional_arcs,
        "training_topics": statistics.training_topics,
    }
