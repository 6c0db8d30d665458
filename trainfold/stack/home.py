"""The home directory: made ready for its services, and locked while they change."""

import os
from pathlib import Path

import fasteners

from trainfold.stack.errors import StackError
from trainfold.stack.system_user import closed_directory, is_root

_LOCK_NAME = ".lock"


def prepare_home(home: Path) -> None:
    """Create what is missing; raise StackError when PostgreSQL could not run there."""
    home.mkdir(parents=True, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise StackError(
            f"{home} belongs to another user. Nothing was started. "
            "Choose a directory of your own with TRAINFOLD_HOME."
        )
    # A directory that somebody filled before us may be shared: its mode is not ours to change.
    if (home / _LOCK_NAME).exists() or not any(home.iterdir()):
        home.chmod(0o711 if is_root() else 0o700)
    _refuse_closed(home)
    (home / "logs").mkdir(mode=0o700, exist_ok=True)


def _refuse_closed(home: Path) -> None:
    closed = closed_directory(home) if is_root() else None
    if closed is not None:
        raise StackError(
            f"PostgreSQL does not run as root, and the user that it runs as cannot enter {closed}, "
            f"which is on the way to {home}. Nothing was started. "
            "Choose a directory outside of it, for example TRAINFOLD_HOME=/var/lib/trainfold."
        )


def home_lock(home: Path) -> fasteners.InterProcessLock:
    """The lock under which processes are started and stopped; the home must exist."""
    return fasteners.InterProcessLock(home / _LOCK_NAME)
