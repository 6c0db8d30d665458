"""Results of trials: counts, and a description of each defect."""

from dataclasses import dataclass, fields
from enum import StrEnum


class Flaw(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    TORN = "torn"
    WRONG = "wrong"
    """A number or a warning that does not follow from the sources, or a broken rule."""
    STALE = "stale"
    """Older content came back, or an object that no version refers to stays."""
    HUNG = "hung"
    BROKEN = "broken"
    """A request ended with an unexpected exception."""


@dataclass(frozen=True)
class Finding:
    flaw: Flaw
    text: str

    def __str__(self) -> str:
        return f"{self.flaw}: {' '.join(self.text.split())}"


@dataclass(frozen=True)
class Tally:
    trials: int = 0
    struck: int = 0
    """Number of faults that took effect."""
    made: int = 0
    blocked: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    wrong: int = 0
    stale: int = 0
    hung: int = 0
    broken: int = 0
    seconds: float = 0.0
    findings: tuple[str, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        names = [field.name for field in fields(self)]
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def flaws(self) -> int:
        return sum(getattr(self, flaw) for flaw in Flaw)


def tally_of(findings: list[Finding], *, label: str, struck: int, made: int, blocked: int) -> Tally:
    """Tally one trial; its label tells how to repeat it."""
    counts = {flaw.value: 0 for flaw in Flaw}
    for finding in findings:
        counts[finding.flaw.value] += 1
    return Tally(
        trials=1,
        struck=struck,
        made=made,
        blocked=blocked,
        findings=tuple(f"{label}: {finding}" for finding in findings),
        **counts,
    )
