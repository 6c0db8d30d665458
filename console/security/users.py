"""The users file: a line `name:hash` for each user; lines that begin with # are comments."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from console.security.passwords import is_password_hash, verify_password
from domain.errors import NotReady


class Users:
    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes
        self._decoys = tuple(hashes.values())

    def verify(self, name: str, password: str) -> bool:
        """Return whether there is such a user and the password is theirs."""
        stored = self._hashes.get(name) or self._decoy(name)
        return verify_password(password, stored) and name in self._hashes

    def password_fingerprint(self, name: str) -> str | None:
        """Return a digest that changes with the password, so that older sessions end.

        None where there is no such user.
        """
        stored = self._hashes.get(name)
        return hashlib.sha256(stored.encode()).hexdigest()[:16] if stored else None

    def _decoy(self, unknown_name: str) -> str:
        # An unknown name is checked against some user's hash, always the same one: it takes as
        # long as a known name, also where the file has argon2 and scrypt hashes.
        return self._decoys[hash(unknown_name) % len(self._decoys)]


def read_users(path: Path) -> Users:
    """Read a users file; raise NotReady where it cannot be read, is malformed or names nobody."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(f"The users file {path} cannot be read: {error}") from error
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, stored = line.strip().partition(":")
        if not name or name in hashes or not is_password_hash(stored):
            raise NotReady(
                f"Line {number} of {path} is not `name:hash`, or names a user again. The console "
                "was not started. `trainfold console-user NAME` prints such a line."
            )
        hashes[name] = stored
    if not hashes:
        raise NotReady(
            f"{path} names no user. The console was not started. "
            "`trainfold console-user NAME` prints its lines."
        )
    return Users(hashes)
