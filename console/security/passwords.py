"""Passwords, stored as scrypt hashes: `scrypt$<log2 of n>$<salt>$<hash>`, in base64."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from threading import BoundedSemaphore

LOG2_N = 15
BLOCK, LANES = 8, 1
MIN_LENGTH = 10
"""Characters of a new password."""

# Each hash takes 32 MiB: two at a time, however many log in at once.
_turn = BoundedSemaphore(2)


def hash_password(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"scrypt${LOG2_N}${_text(salt)}${_text(_scrypt(password, salt, LOG2_N))}"


def is_password_hash(text: str) -> bool:
    try:
        _parts(text)
    except ValueError:
        return False
    return True


def verify_password(password: str, stored: str) -> bool:
    log2_n, salt, expected = _parts(stored)
    return hmac.compare_digest(_scrypt(password, salt, log2_n), expected)


def _parts(stored: str) -> tuple[int, bytes, bytes]:
    kind, log2_n, salt, digest = stored.split("$")
    if kind != "scrypt" or int(log2_n) not in range(14, 21):
        raise ValueError(stored)
    return int(log2_n), b64decode(salt, validate=True), b64decode(digest, validate=True)


def _scrypt(password: str, salt: bytes, log2_n: int) -> bytes:
    with _turn:
        return hashlib.scrypt(
            password.encode(),
            salt=salt,
            n=2**log2_n,
            r=BLOCK,
            p=LANES,
            maxmem=256 * BLOCK * 2**log2_n,
        )


def _text(data: bytes) -> str:
    return b64encode(data).decode()
