"""Slows down the guessing of passwords: after some failures a name is blocked for a while."""

import time
from collections.abc import Callable
from threading import Lock

MAX_FAILURES = 5
WINDOW_SECONDS = 300
MAX_ENTRIES = 10_000


class Throttle:
    """Counts the recent failures of a name at a client's address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures: dict[tuple[str, str], list[float]] = {}

    def is_blocked(self, name: str, address: str) -> bool:
        with self._lock:
            return len(self._recent((name, address))) >= MAX_FAILURES

    def record_failure(self, name: str, address: str) -> None:
        with self._lock:
            if len(self._failures) >= MAX_ENTRIES:
                self._failures.clear()
            self._failures[name, address] = [*self._recent((name, address)), self._clock()]

    def _recent(self, key: tuple[str, str]) -> list[float]:
        oldest = self._clock() - WINDOW_SECONDS
        return [moment for moment in self._failures.get(key, []) if moment > oldest]
