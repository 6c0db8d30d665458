"""What changes only when conversations do, kept as long as it holds."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from db.search_terms import conversations_stamp

LONGEST_SECONDS = 60
"""For databases that do not tell whether anything was written."""

T = TypeVar("T")


class Kept(Generic[T]):
    def __init__(self, read: Callable[[Connection], T]) -> None:
        self._read = read
        self._lock = Lock()
        self._kept: tuple[tuple[Any, ...], float, T] | None = None

    def of(self, connection: Connection) -> T:
        """Read anew once conversations have been written, and after a minute."""
        stamp, now = conversations_stamp(connection), time.monotonic()
        with self._lock:
            if self._kept and self._kept[0] == stamp and now - self._kept[1] < LONGEST_SECONDS:
                return self._kept[2]
            found = self._read(connection)
            self._kept = (stamp, now, found)
            return found
