"""The names that text searches know, kept as long as they hold."""

import time
from threading import Lock
from typing import Any

from sqlalchemy import Connection

from db.words import Names, names_stamp, read_names

LONGEST_SECONDS = 60
"""A conversation that is there already may get another name without our noticing."""


class KnownNames:
    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[tuple[Any, ...], float, Names] | None = None

    def read(self, connection: Connection) -> Names:
        """All names; read anew when conversations have come or gone, or after a minute."""
        stamp, now = names_stamp(connection), time.monotonic()
        with self._lock:
            if self._kept and self._kept[0] == stamp and now - self._kept[1] < LONGEST_SECONDS:
                return self._kept[2]
            names = read_names(connection)
            self._kept = (stamp, now, names)
            return names
