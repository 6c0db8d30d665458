"""What proves that stored bytes are those that were sent, and read bytes those that are stored.

See docs/decisions/0006 and 0021.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from domain.format.digest import sha256

MD5 = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class SentRange:
    """Bytes that were sent: where they are in their object, and their digest."""

    start: int
    end: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ReadObject:
    """A whole object as it was read, with what the store says of it."""

    data: bytes
    etag: str
    sha256: str | None
    """Recorded as metadata when trainfold wrote it."""

    def is_proven(self, *, etag_is_md5: bool) -> bool:
        """Tell whether the bytes are those that were written, as far as the store says."""
        if self.sha256:
            return sha256(self.data) == self.sha256
        return not (etag_is_md5 and is_md5(self.etag)) or is_md5_of(self.etag, self.data)


def sent_range(data: bytes, *, start: int = 0) -> SentRange:
    return SentRange(start, start + len(data), sha256(data))


def is_md5(etag: str) -> bool:
    """Tell whether an ETag has the form of an MD5; it may be something else all the same."""
    return MD5.fullmatch(etag.strip('"')) is not None


def is_md5_of(etag: str, data: bytes) -> bool:
    """Tell whether the ETag that a store computed confirms these bytes."""
    return etag.strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest()


def is_same(sent: SentRange, pieces: Iterable[bytes]) -> bool:
    """Compare what is read back, a piece at a time, with what was sent."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest() == sent.sha256
