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
