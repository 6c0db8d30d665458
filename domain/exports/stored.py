"""Stored exports: files made from a version once, kept beside its objects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.exports import EXPORT_FORMATS, SIDES, ExportFormat, ExportPart, Side
from domain.format.digest import sha256
from domain.frozen import FrozenModel

REVISION = 1
"""Of the shapes in this package: a release that writes other bytes raises it, and stored exports of
earlier releases are no longer what is asked for."""


class StoredExport(FrozenModel):
    """One file of an export as it was stored; it never changes."""

    training_file_id: UUID
    number: int
    format: ExportFormat
    split: Side | None
    options_digest: str
    key: str
    size_bytes: int
    sha256: str
    row_count: int
    target_count: int
    conversation_count: int
    summary: dict[str, Any]
    """`ExportSummary` of the whole version, as it was when the export was made."""
    created_at: datetime
    created_by: str

    @property
    def part(self) -> ExportPart:
        return ExportPart(self.format, self.split)

    @property
    def order(self) -> tuple[int, int]:
        """Return a key that sorts exports of a version as `export_parts` does."""
        side = SIDES.index(self.split) if self.split else -1
        return EXPORT_FORMATS.index(self.format), side


def options_digest(sides: Mapping[UUID, Side] | None) -> str:
    """Return a digest of what an export's bytes follow from, beside its version and format."""
    assigned = None if sides is None else [(str(id), sides[id]) for id in sorted(sides)]
    return sha256(orjson.dumps({"revision": REVISION, "sides": assigned}))
