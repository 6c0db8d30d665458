"""The home directory: prepared and locked for its services, with private JSON files in it."""

import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import fasteners

from trainfold.stack.errors import StackError
from trainfold.stack.system_user import closed_directory, is_root

_LOCK_NAME = ".lock"
_MAX_TEMPORARY_PATH_BYTES = 70


def prepare_home(home: Path) -> None:
    """Create the directories that are missing; raise StackError if PostgreSQL could not run."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"{home} cannot be made: {error.strerror}. Nothing was started. "
            "Choose a directory of your own with TRAINFOLD_HOME."
        ) from error
    if home.stat().st_uid != os.geteuid():
        raise StackError(
            f"{home} belongs to another user. Nothing was started. "
            "Choose a directory of your own with TRAINFOLD_HOME."
        )
    # A directory that had content before us may be shared: its mode is not ours to change.
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


def temporary_directory(home: Path) -> Path:
    """Return where the services keep temporary files, which no other user can enter or make.

    In the system's folder, names that a program foresees may be another user's already.
    """
    inside = home / "tmp"
    # Programs make Unix sockets below it, whose paths may have 103 bytes on macOS.
    if len(os.fsencode(inside)) <= _MAX_TEMPORARY_PATH_BYTES:
        directory = inside
    else:
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
        directory = Path(tempfile.gettempdir()) / f"trainfold-{os.geteuid()}-{digest}"
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StackError(
            f"{directory} is not a folder that only you can enter. Nothing was started. "
            "Remove it, or choose a home with a shorter path with TRAINFOLD_HOME."
        )
    return directory


def home_lock(home: Path) -> fasteners.InterProcessLock:
    """Return the lock under which processes are started and stopped; the home must exist."""
    return fasteners.InterProcessLock(home / _LOCK_NAME)


# Letters and digits only, so that a secret needs no quoting in a URL.
_secret = partial(secrets.token_hex, 20)


@dataclass(frozen=True)
class Credentials:
    """The generated secrets of one home directory."""

    database_password: str = field(default_factory=_secret)
    s3_access_key: str = field(default_factory=partial(secrets.token_hex, 10))
    s3_secret_key: str = field(default_factory=_secret)
    seaweedfs_signing_key: str = field(default_factory=_secret)
    prefect_password: str = field(default_factory=_secret)


def ensure_credentials(home: Path) -> None:
    """Generate the secrets that a home lacks, once; the caller holds the home's lock.

    A home of an earlier release lacks some.
    """
    stored = PrivateJsonFile(_credentials_path(home)).read()
    complete = asdict(Credentials(**stored))
    if complete != stored:
        write_private_json(_credentials_path(home), complete)


def read_credentials(home: Path) -> Credentials:
    """Return the secrets that ensure_credentials generated."""
    return Credentials(**PrivateJsonFile(_credentials_path(home)).read())


def _credentials_path(home: Path) -> Path:
    return home / "credentials.json"


class PrivateJsonFile:
    """A JSON object in a file that only its owner can read; threads may change it concurrently."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def read(self) -> dict[str, Any]:
        """Return the object; an empty one if there is no file."""
        try:
            content: dict[str, Any] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise StackError(
                f"{self._path} cannot be read: {error}. Nothing was changed. Restore the file, or "
                "choose another directory with TRAINFOLD_HOME."
            ) from error
        return content

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Yield the object to change in place; write it when the block ends without an error."""
        with self._lock:
            content = self.read()
            yield content
            write_private_json(self._path, content)


def write_private_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file; see write_private."""
    write_private(path, json.dumps(content, indent=2).encode())


def write_private(path: Path, content: bytes) -> None:
    """Replace the file atomically: a reader sees the old content or the new, never a part."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
