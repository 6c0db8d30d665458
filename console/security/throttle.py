"""Slows down guessing: after some failures, a name has to wait."""

import time
from collections.abc import Callable
from threading import Lock

MOST_FAILURES = 5
WINDOW_SECONDS = 300
MOST_NAMES = 10_000


class Throttle:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures: dict[tuple[str, str], list[float]] = {}

    def is_closed(self, name: str, address: str) -> bool:
        with self._lock:
            return len(self._recent((name, address))) >= MOST_FAILURES

    def failed(self, name: str, address: str) -> None:
        with self._lock:
            if len(self._failures) >= MOST_NAMES:
                self._failures.clear()
            self._failures[name, address] = [*self._recent((name, address)), self._clock()]

    def _recent(self, key: tuple[str, str]) -> list[float]:
        oldest = self._clock() - WINDOW_SECONDS
        return [moment for moment in self._failures.get(key, []) if moment > oldest]
