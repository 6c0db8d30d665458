"""The file of users: a line for each, `name:hash`; lines that begin with # are comments."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from console.security.passwords import hashed, is_hash, matches
from domain.errors import NotReady


class Users:
    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes
        # A name that nobody has costs as much time as a wrong password.
        self._decoy = hashed("")

    def check(self, name: str, password: str) -> bool:
        return matches(password, self._hashes.get(name, self._decoy)) and name in self._hashes

    def mark(self, name: str) -> str | None:
        """Changes with the password, so that old sessions end; None when there is no such user."""
        stored = self._hashes.get(name)
        return hashlib.sha256(stored.encode()).hexdigest()[:16] if stored else None


def read_users(path: Path) -> Users:
    """Raises NotReady where the file cannot be read, is out of form, or names nobody."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(f"The users file {path} cannot be read: {error}") from error
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, stored = line.strip().partition(":")
        if not name or name in hashes or not is_hash(stored):
            raise NotReady(
                f"Line {number} of {path} is not `name:hash`, or names a user again. "
                "`trainfold console-user NAME` prints such a line."
            )
        hashes[name] = stored
    if not hashes:
        raise NotReady(f"{path} names no user. `trainfold console-user NAME` prints its lines.")
    return Users(hashes)
