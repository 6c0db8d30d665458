"""Exit codes: a contract with scripts."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    OTHER = 1
    USAGE = 2
    BLOCKED = 3
    """A rule blocks the request; nothing was written."""
    NOT_FOUND = 4
    """No such training file, version, batch or conversation."""
    UNREACHABLE = 5
    """A service cannot be reached."""
