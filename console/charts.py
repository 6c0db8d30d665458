"""Distributions as bars: the shares of a whole, to be drawn as SVG without any style."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.statistics import VersionStatistics

SHADES = 6
"""Parts that have a shade of their own; what is rarer shares the last."""


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    count: int
    percent: float
    start: float
    """Percent of the parts before."""
    shade: int


@dataclass(frozen=True, slots=True)
class Distribution:
    title: str
    singular: str
    parts: tuple[Part, ...]

    @property
    def summary(self) -> str:
        """What the bar says, in words."""
        told = [f"{part.key.replace('_', ' ')} {part.count}" for part in self.parts]
        return f"{self.title}: {', '.join(told)}"

    @property
    def small(self) -> "Distribution":
        """As a small bar tells it: what is rare is one part."""
        if len(self.parts) <= SHADES:
            return self
        shown, rare = self.parts[: SHADES - 1], self.parts[SHADES - 1 :]
        others = Part(
            key=f"{len(rare)} others",
            count=sum(part.count for part in rare),
            percent=round(100 - rare[0].start, 2),
            start=rare[0].start,
            shade=SHADES - 1,
        )
        return Distribution(self.title, self.singular, (*shown, others))


def distributions(statistics: VersionStatistics) -> list[Distribution]:
    """Of conversations, by persona, arc and topic."""
    return [
        _distribution("Personas", "Persona", statistics.personas),
        _distribution("Arcs", "Emotional arc", statistics.emotional_arcs),
        _distribution("Topics", "Training topic", statistics.training_topics),
    ]


def tiers(statistics: VersionStatistics) -> Distribution:
    return _distribution("Quality tiers", "Quality tier", statistics.tiers)


def _distribution(title: str, singular: str, counts: Mapping[str, int]) -> Distribution:
    total = sum(counts.values())
    parts = []
    before = 0
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for rank, (key, count) in enumerate(ordered):
        parts.append(
            Part(
                key=key,
                count=count,
                percent=round(100 * count / total, 2),
                start=round(100 * before / total, 2),
                shade=min(rank, SHADES - 1),
            )
        )
        before += count
    return Distribution(title, singular, tuple(parts))
