"""The digest of a version's content: one sha256 over its fragments' sha256, in order.

It grows with the file as the file does, by what is added: nobody need read the rest again.
docs/format.md says how to compute it from a downloaded file.
"""

import hashlib
from collections.abc import Iterable

OF_NOTHING = "0" * 64


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def extended(digest: str, fragments: Iterable[str]) -> str:
    """The digest of the content that has these fragments' sha256 after what `digest` tells of."""
    for fragment in fragments:
        digest = sha256(bytes.fromhex(digest) + bytes.fromhex(fragment))
    return digest
