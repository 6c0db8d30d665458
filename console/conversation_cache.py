"""A value that is read from all conversations, cached until conversations are written."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from db.search_terms import conversations_stamp

MAX_AGE_SECONDS = 60
"""For databases that do not report whether anything was written."""

T = TypeVar("T")


class ConversationCache(Generic[T]):
    def __init__(self, read: Callable[[Connection], T]) -> None:
        self._read = read
        self._lock = Lock()
        self._cached: tuple[tuple[Any, ...], float, T] | None = None

    def get(self, connection: Connection) -> T:
        """Return the value; read it again once conversations were written, and after a minute."""
        stamp, now = conversations_stamp(connection), time.monotonic()
        with self._lock:
            if self._cached:
                cached_stamp, read_at, value = self._cached
                if cached_stamp == stamp and now - read_at < MAX_AGE_SECONDS:
                    return value
            value = self._read(connection)
            self._cached = (stamp, now, value)
            return value
