"""Findings about a conversation: reasons that block a request, warnings that are recorded."""

from collections import Counter
from collections.abc import Iterable

from domain.frozen import FrozenModel


class Reason(FrozenModel):
    """A reason why a request is blocked; `path` is the place in the conversation's file."""

    conversation_id: str | None = None
    code: str
    reason: str
    path: str | None = None


class VersionWarning(FrozenModel):
    """A finding for curators; `path` is its first place, `count` how often it occurs."""

    conversation_id: str
    code: str
    message: str
    path: str
    count: int = 1

    def as_reason(self, because: str) -> Reason:
        """Return the reason that the warning becomes where it is an error."""
        return Reason(
            conversation_id=self.conversation_id,
            code=self.code,
            reason=f"{self.message} ({because})",
            path=self.path,
        )


class Cause(FrozenModel):
    """Warnings that say the same about one or many conversations."""

    code: str
    message: str
    warnings: tuple[VersionWarning, ...]

    @property
    def conversations(self) -> int:
        return len({warning.conversation_id for warning in self.warnings})

    @property
    def places(self) -> int:
        return sum(warning.count for warning in self.warnings)

    @property
    def extent(self) -> str:
        """Say how far it reaches: 10 conversations, 62 places."""
        return f"{_counted(self.conversations, 'conversation')}, {_counted(self.places, 'place')}"


def by_cause(warnings: Iterable[VersionWarning]) -> tuple[Cause, ...]:
    """Group warnings that say the same; those of most conversations and places come first."""
    groups: dict[tuple[str, str], list[VersionWarning]] = {}
    for warning in warnings:
        groups.setdefault((warning.code, warning.message), []).append(warning)
    causes = [
        Cause(code=code, message=message, warnings=tuple(group))
        for (code, message), group in groups.items()
    ]
    return tuple(sorted(causes, key=lambda cause: (-cause.conversations, -cause.places)))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shortened(text: str, max_length: int = 60) -> str:
    """Shorten text from a file for a message, and escape its control characters."""
    shown = text[:max_length]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
    return shown if len(text) <= max_length else shown + "…"


def gather(warnings: Iterable[VersionWarning]) -> tuple[VersionWarning, ...]:
    """Fold equal warnings of one conversation into one that counts them, in order of appearance."""
    first: dict[tuple[str, str, str], VersionWarning] = {}
    count: Counter[tuple[str, str, str]] = Counter()
    for warning in warnings:
        key = (warning.conversation_id, warning.code, warning.message)
        first.setdefault(key, warning)
        count[key] += warning.count
    return tuple(
        w if w.count == count[key] else w.model_copy(update={"count": count[key]})
        for key, w in first.items()
    )
