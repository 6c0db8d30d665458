"""Which of the messages that pass a proxy meet a fault, decided beforehand."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Action = TypeVar("Action")


@dataclass(frozen=True)
class Fault(Generic[Action]):
    """`action` at the nth message that the pattern is found in, and at the `times` - 1 after it.

    For S3 a message is “PUT /bucket/key?query”, for PostgreSQL the statement's text or `CONNECT`.
    """

    pattern: str
    action: Action
    nth: int = 1
    times: int = 1
    seconds: float = 0.0
    """How long a stall is."""
    place: float = 0.5
    """Where in a body a fault strikes, as a part of its length."""


def nobody() -> None:
    """Kill nobody."""


class Script(Generic[Action]):
    """The faults of one trial, and how many of them struck. Used in the proxies' thread only."""

    def __init__(self, faults: Sequence[Fault[Action]] = ()) -> None:
        self._seen = dict.fromkeys(faults, 0)
        self.struck = 0
        self.kill_victim: Callable[[], None] = nobody

    def fault(self, message: str) -> Fault[Action] | None:
        """Return the fault that this message meets; every fault counts the messages for itself."""
        met = None
        for fault in self._seen:
            if re.search(fault.pattern, message):
                self._seen[fault] += 1
                if 0 <= self._seen[fault] - fault.nth < fault.times:
                    met = met or fault
        self.struck += met is not None
        return met
