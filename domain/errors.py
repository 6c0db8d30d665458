"""The exceptions that trainfold raises.

TrainfoldError
├── Blocked               a rule says no; nothing was written
│   └── PlanStopped       a rule stops a plan; the parts before are versions, and stay
├── NotFound              no such training file, version, batch or conversation
├── NotReady              the set-up is incomplete: no schema, no bucket, nothing configured
├── Unreachable           a service does not answer; trying again may help
├── ObjectMissing         the store has no object under that key
├── ObjectTooLarge        the object is larger than the limit for one conversation
├── AccessRefused         the store or the database refuses the credentials or the key
├── StoreRefused          the store refuses a request (size, type, key); trying again does not help
├── DatabaseRefused       the database refuses a statement; trying again does not help
├── CommitConflict        another request moved the training file first; nothing was committed
├── CommitOutcomeUnknown  the connection died while committing; look the request up
└── Damaged               stored objects do not match what the version records

Arguments go to `Exception` unchanged, so every error survives pickling.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Importing pydantic takes longer than printing an error.
    from domain.findings import Reason


class TrainfoldError(Exception):
    """The message says what happened, what is left behind and what to do next."""


class Blocked(TrainfoldError):
    def __init__(self, reasons: "Sequence[Reason]") -> None:
        super().__init__(tuple(reasons))

    @property
    def reasons(self) -> "tuple[Reason, ...]":
        reasons: tuple[Reason, ...] = self.args[0]
        return reasons

    advice = "nothing was written. Correct the listed conversations or leave them out."

    def __str__(self) -> str:
        first = self.reasons[0].reason.removesuffix(".")
        more = f", and {len(self.reasons) - 1} more" if len(self.reasons) > 1 else ""
        return f"Blocked, nothing was written: {first}{more}."


class PlanStopped(Blocked):
    advice = "the parts before stay. The first reason says how to go on."

    def __str__(self) -> str:
        first, *_ = self.reasons
        return f"Blocked: {first.reason}"


class NotFound(TrainfoldError):
    pass


class NotReady(TrainfoldError):
    pass


class Unreachable(TrainfoldError):
    pass


class ObjectMissing(TrainfoldError):
    pass


class ObjectTooLarge(TrainfoldError):
    pass


class AccessRefused(TrainfoldError):
    pass


class StoreRefused(TrainfoldError):
    pass


class DatabaseRefused(TrainfoldError):
    def __init__(self, message: str, constraint: str | None = None) -> None:
        super().__init__(message, constraint)

    @property
    def constraint(self) -> str | None:
        """Return the constraint that the statement violates, if the database names one."""
        constraint: str | None = self.args[1]
        return constraint

    def __str__(self) -> str:
        return str(self.args[0])


class CommitConflict(TrainfoldError):
    pass


class CommitOutcomeUnknown(TrainfoldError):
    pass


TEMPORARY = (Unreachable, CommitOutcomeUnknown)
"""Errors after which the same request may succeed."""


class Damaged(TrainfoldError):
    def __init__(self, name: str, version: int, findings: Sequence[str]) -> None:
        super().__init__(name, version, tuple(findings))

    @property
    def name(self) -> str:
        return str(self.args[0])

    @property
    def version(self) -> int:
        return int(self.args[1])

    @property
    def findings(self) -> tuple[str, ...]:
        findings: tuple[str, ...] = self.args[2]
        return findings

    def __str__(self) -> str:
        listed = "\n".join(f"- {finding}" for finding in self.findings)
        return (
            f"Version {self.version} of “{self.name}” is damaged:\n{listed}\n"
            "Its row in the database is unchanged, and so are all other versions. "
            "Restore the object from a backup, or make a new version with `rebuild --whole`."
        )
