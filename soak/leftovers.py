"""Objects that no version refers to, before maintenance and after it."""

import time
from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from domain.versions.requests import AddRequest
from soak.claim import Claim
from soak.evidence import look
from soak.tally import Finding, Flaw
from soak.upkeep import OwnObjects, maintain
from storage.s3 import S3Store

SWEEPS = 3
"""What a killed writer had sent may still arrive after the first."""
PAUSE_SECONDS = 0.5


def about_leftovers(
    engine: Engine, store: S3Store, name: str, claims: Sequence[Claim]
) -> Iterator[Finding]:
    """Yield what stays although no version refers to it, and what went although one does."""
    seen = look(engine, name)
    referenced = set(seen.keys) if seen else set()
    # A create that did not come through left its objects under an id that nothing tells.
    prefix = f"{seen.id}/" if seen else ""
    if any(
        claim.is_struck and isinstance(claim.request, AddRequest) and claim.request.new
        for claim in claims
    ):
        prefix = ""
    request_ids = {claim.request.request_id for claim in claims}
    own = OwnObjects(store, request_ids, prefix=prefix)

    def left() -> set[str]:
        return own.object_keys() - referenced

    present = own.object_keys() & referenced
    if not any(claim.is_struck for claim in claims):
        for key in sorted(left()):
            yield Finding(Flaw.STALE, f"{key} was left, and nothing was done to its writer")
    for sweep in range(SWEEPS):
        time.sleep(PAUSE_SECONDS if sweep else 0)
        maintain(engine, own)
        remaining = left()
        if not remaining:
            break
    for key in sorted(remaining):
        yield Finding(Flaw.STALE, f"maintenance left {key}, which no version refers to")
    for key in sorted(present - own.object_keys()):
        yield Finding(Flaw.TORN, f"maintenance removed {key}, which a version refers to")
