"""Decide in advance which of a proxy's messages are struck by a fault."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Action = TypeVar("Action")


@dataclass(frozen=True)
class Fault(Generic[Action]):
    """An action on the nth message that matches the pattern, and on the `times` - 1 after it.

    For S3 a message is “PUT /bucket/key?query”, for PostgreSQL the statement's text or `CONNECT`.
    """

    pattern: str
    action: Action
    nth: int = 1
    times: int = 1
    seconds: float = 0.0
    """Duration of a stall."""
    place: float = 0.5
    """Position of a fault in a body, as a fraction of its length."""


def nothing() -> None:
    """Kill nobody, do nothing."""


class Script(Generic[Action]):
    """The faults of one trial, and how many of them struck; used only in the proxies' thread."""

    def __init__(self, faults: Sequence[Fault[Action]] = ()) -> None:
        self._seen = dict.fromkeys(faults, 0)
        self.struck = 0
        self.kill_victim: Callable[[], None] = nothing
        self.meanwhile: Callable[[], object] = nothing
        """What somebody else does while a message waits in the proxy."""

    def fault(self, message: str) -> Fault[Action] | None:
        """Return the fault for this message, if any; each fault counts its own messages."""
        striking = None
        for fault in self._seen:
            if re.search(fault.pattern, message):
                self._seen[fault] += 1
                if 0 <= self._seen[fault] - fault.nth < fault.times:
                    striking = striking or fault
        self.struck += striking is not None
        return striking
