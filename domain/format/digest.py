"""The digest of a version's content: a hash chain over its fragments' sha256, in order.

An add extends the chain by the fragments that it adds, so it never reads what the file already
holds. docs/format.md says how to compute the digest of a downloaded file.
"""

import hashlib
from collections.abc import Iterable

EMPTY = "0" * 64
"""The digest of a version without conversations, where every chain begins."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def extend(digest: str, fragments: Iterable[str]) -> str:
    """Extend `digest` with these fragments' sha256, in order."""
    chain = bytes.fromhex(digest)
    for fragment in fragments:
        chain = hashlib.sha256(chain + bytes.fromhex(fragment)).digest()
    return chain.hex()
