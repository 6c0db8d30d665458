"""Distributions as stacked bars, drawn as SVG without any inline style."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.statistics import VersionStatistics

SHADES = 6
"""Shares with a shade of their own; all rarer ones have the last shade."""


@dataclass(frozen=True, slots=True)
class Share:
    """One key's share of a whole, as a segment of its bar."""

    key: str
    count: int
    percent: float
    start: float
    """Percent of the shares before this one."""
    shade: int


@dataclass(frozen=True, slots=True)
class Distribution:
    title: str
    singular: str
    shares: tuple[Share, ...]

    @property
    def summary(self) -> str:
        """Describe the bar in words, for screen readers."""
        counts = [f"{share.key.replace('_', ' ')} {share.count}" for share in self.shares]
        return f"{self.title}: {', '.join(counts)}"

    @property
    def small(self) -> "Distribution":
        """Return the distribution for a small bar, which sums up rare keys as one share."""
        if len(self.shares) <= SHADES:
            return self
        common, rare = self.shares[: SHADES - 1], self.shares[SHADES - 1 :]
        others = Share(
            key=f"{len(rare)} others",
            count=sum(share.count for share in rare),
            percent=round(100 - rare[0].start, 2),
            start=rare[0].start,
            shade=SHADES - 1,
        )
        return Distribution(self.title, self.singular, (*common, others))


def scaffolding_distributions(statistics: VersionStatistics) -> list[Distribution]:
    return [
        distribution("Personas", "Persona", statistics.personas),
        distribution("Arcs", "Emotional arc", statistics.emotional_arcs),
        distribution("Topics", "Training topic", statistics.training_topics),
    ]


def tier_distribution(statistics: VersionStatistics) -> Distribution:
    return distribution("Quality tiers", "Quality tier", statistics.tiers)


def distribution(title: str, singular: str, counts: Mapping[str, int]) -> Distribution:
    """Compute the shares of these counts, largest first."""
    total = sum(counts.values())
    shares = []
    before = 0
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for rank, (key, count) in enumerate(ranked):
        shares.append(
            Share(
                key=key,
                count=count,
                percent=round(100 * count / total, 2),
                start=round(100 * before / total, 2),
                shade=min(rank, SHADES - 1),
            )
        )
        before += count
    return Distribution(title, singular, tuple(shares))
