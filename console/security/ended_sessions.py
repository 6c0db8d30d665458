"""Sessions that were signed out. Their cookies are signed and not too old, and yet refused."""

import time
from collections.abc import Callable

from trainfold.stack.home import PrivateJsonFile


class EndedSessions:
    """Ids of sessions, in a file, so that a restart of the console brings none of them back."""

    def __init__(
        self,
        file: PrivateJsonFile,
        *,
        lifetime_seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._ended: set[str] = set(file.read())

    def add(self, session_id: str) -> None:
        now = self._clock()
        with self._file.change() as content:
            # A cookie that is older than its lifetime is refused without this list.
            for id in [id for id, until in content.items() if until < now]:
                del content[id]
            content[session_id] = now + self._lifetime_seconds
            self._ended = set(content)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._ended
