"""Slows down the guessing of passwords: after some attempts a name is blocked for a while."""

import time
from collections.abc import Callable
from threading import Lock

MAX_ATTEMPTS = 5
WINDOW_SECONDS = 300
MAX_ENTRIES = 10_000


class Throttle:
    """Counts the recent attempts to sign in under a name from a client's address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._attempts: dict[tuple[str, str], list[float]] = {}

    def admit(self, name: str, address: str) -> bool:
        """Count an attempt and return whether it may be made.

        It counts before its password is checked, or attempts at the same time would all be made.
        """
        key = (name, address)
        with self._lock:
            recent = self._recent(key)
            if len(recent) >= MAX_ATTEMPTS:
                return False
            self._attempts.pop(key, None)
            if len(self._attempts) >= MAX_ENTRIES:
                # The one that has been quiet for longest.
                del self._attempts[next(iter(self._attempts))]
            self._attempts[key] = [*recent, self._clock()]
            return True

    def forget(self, name: str, address: str) -> None:
        """Forget the attempts of a person who signed in."""
        with self._lock:
            self._attempts.pop((name, address), None)

    def _recent(self, key: tuple[str, str]) -> list[float]:
        oldest = self._clock() - WINDOW_SECONDS
        return [moment for moment in self._attempts.get(key, []) if moment > oldest]
