"""Passwords, stored as argon2id hashes. The scrypt hashes of older users files are accepted too."""

import hashlib
import hmac
import re
from base64 import b64decode
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

MIN_LENGTH = 10
"""Characters of a new password."""

# The numbers of digits bound the cost of one hash: less than 1 GiB, at most 99 passes.
ARGON2_HASH = re.compile(
    r"\$argon2id\$v=19\$m=[1-9]\d{0,5},t=[1-9]\d?,p=[1-9]\d?\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}"
)
SCRYPT_BLOCK, SCRYPT_LANES = 8, 1

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# A hash takes 64 MiB. Two at a time bound the memory, however many people sign in at once.
_hashing = BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """Return a salted argon2id hash, as a users file stores it."""
    with _hashing:
        return _hasher.hash(password)


def is_password_hash(text: str) -> bool:
    """Return whether the text has a form that `verify_password` knows."""
    try:
        return bool(ARGON2_HASH.fullmatch(text) or _scrypt_parts(text))
    except ValueError:
        return False


def verify_password(password: str, stored: str) -> bool:
    """Return whether the stored hash is this password's."""
    with _hashing:
        if not ARGON2_HASH.fullmatch(stored):
            return _verify_scrypt(password, stored)
        try:
            return _hasher.verify(stored, password)
        except VerificationError:
            return False


def _verify_scrypt(password: str, stored: str) -> bool:
    log2_n, salt, expected = _scrypt_parts(stored)
    digest = hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=2**log2_n,
        r=SCRYPT_BLOCK,
        p=SCRYPT_LANES,
        maxmem=256 * SCRYPT_BLOCK * 2**log2_n,
    )
    return hmac.compare_digest(digest, expected)


def _scrypt_parts(stored: str) -> tuple[int, bytes, bytes]:
    """Split `scrypt$<log2 of n>$<salt>$<hash>`; raise ValueError for any other form."""
    kind, log2_n, salt, digest = stored.split("$")
    if kind != "scrypt" or int(log2_n) not in range(14, 21):
        raise ValueError(stored)
    return int(log2_n), b64decode(salt, validate=True), b64decode(digest, validate=True)
