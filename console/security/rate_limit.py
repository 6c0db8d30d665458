"""Limits how often each token may send a request."""

import math
import time
from collections.abc import Callable
from threading import Lock


class RateLimit:
    """A bucket of requests for each token: full at first, refilled evenly over a minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = per_minute
        self._per_second = per_minute / 60
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, token_id: str) -> int:
        """Take one request; return 0, or in how many seconds there will be one to take."""
        with self._lock:
            now = self._clock()
            level, at = self._buckets.get(token_id, (float(self._size), now))
            level = min(self._size, level + (now - at) * self._per_second)
            taken = level >= 1
            self._buckets[token_id] = (level - 1 if taken else level, now)
        return 0 if taken else max(1, math.ceil((1 - level) / self._per_second))
