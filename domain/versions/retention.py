"""Retention: which versions of a training file may be released, so that their objects go."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from domain.errors import Blocked
from domain.findings import Reason
from domain.frozen import FrozenModel

MAX_KEPT = 1_000_000
MAX_DAYS = 36_500


class KeepPolicy(FrozenModel):
    """What is kept of a training file: all versions, unless one of the three is given.

    A version is kept if any of them keeps it; the current one always is.
    """

    last: int | None = None
    """So many of the newest versions."""
    days: int | None = None
    """Versions that were made within so many days."""
    tagged: bool = False
    """Versions with a tag."""

    @property
    def keeps_all(self) -> bool:
        return self.last is None and self.days is None and not self.tagged

    def __str__(self) -> str:
        if self.keeps_all:
            return "all versions"
        parts = [
            f"the last {self.last}" if self.last else "",
            f"those of the last {self.days} days" if self.days else "",
            "those with a tag" if self.tagged else "",
        ]
        return f"the current version, {', '.join(filter(None, parts))}"


class StoredVersion(FrozenModel):
    """A version whose objects are in the store."""

    number: int
    created_at: datetime
    superseded_at: datetime | None
    """When the next version was made; None for the current one."""
    size_bytes: int
    keys: tuple[str, str]


def refuse_policy(policy: KeepPolicy) -> None:
    """Raise Blocked unless the numbers are in range."""
    limits = (("last", policy.last, MAX_KEPT), ("days", policy.days, MAX_DAYS))
    reasons = [
        Reason(code="bad-policy", reason=f"“{name}” is {value:,}; it can be 1 to {most:,}.")
        for name, value, most in limits
        if value is not None and not 1 <= value <= most
    ]
    if reasons:
        raise Blocked(reasons)


def releasable(
    policy: KeepPolicy,
    versions: Sequence[StoredVersion],
    *,
    tagged: Collection[int],
    protected: Collection[int],
    now: datetime,
    safe_age: timedelta,
) -> Iterator[StoredVersion]:
    """Yield the versions that the policy does not keep; `versions` are newest first.

    A version that was current within the safe age is kept: a running request may still copy from
    its objects. A protected tag keeps its version whatever the policy says.
    """
    if policy.keeps_all:
        return
    kept = set(protected) | (set(tagged) if policy.tagged else set())
    kept |= {version.number for version in versions[: policy.last or 0]}
    for version in versions:
        if version.number in kept or version.superseded_at is None:
            continue
        if policy.days and now - version.created_at <= timedelta(days=policy.days):
            continue
        if now - version.superseded_at > safe_age:
            yield version


def ranges(numbers: Collection[int]) -> str:
    """Write numbers for people: `1, 3 to 5`."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join(" to ".join(map(str, part)) for part in parts)
