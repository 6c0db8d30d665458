"""What a check of the set-up found: a state, what was seen, and what to do."""

from collections.abc import Iterable
from enum import StrEnum

from domain.frozen import FrozenModel


class Outcome(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It works, with a loss that the text names."""
    FAILED = "failed"


class Check(FrozenModel):
    """One line of a diagnosis. Names and findings are stable; texts are for people."""

    name: str
    outcome: Outcome
    finding: str | None
    """The code of what is wrong; docs/doctor.md has a line for each."""
    text: str
    sql: tuple[str, ...] = ()
    """Statements that a person may run against it."""


def passed(name: str, text: str) -> Check:
    return Check(name=name, outcome=Outcome.OK, finding=None, text=text)


def warning(name: str, finding: StrEnum, text: str, *, sql: Iterable[str] = ()) -> Check:
    return Check(
        name=name, outcome=Outcome.WARNING, finding=finding.value, text=text, sql=tuple(sql)
    )


def failed(name: str, finding: StrEnum, text: str, *, sql: Iterable[str] = ()) -> Check:
    return Check(
        name=name, outcome=Outcome.FAILED, finding=finding.value, text=text, sql=tuple(sql)
    )


def failures(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if check.outcome is Outcome.FAILED]
