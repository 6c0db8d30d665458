"""Stored exports: files made from a version once, kept beside its objects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.exports import EXPORT_FORMATS, SIDES, ExportFormat, ExportPart, Side, Split
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
    def sides(self) -> Split | None:
        """Return the sides that the file holds; None where it was made without a split."""
        if self.split is None and self.options_digest not in UNSPLIT:
            return "both"
        return self.split

    @property
    def download_name(self) -> str:
        """Return a file name that also tells Parquet with sides from Parquet without."""
        return file_name_of(self.format, self.sides)

    @property
    def order(self) -> tuple[int, int, bool]:
        """Return a key that sorts exports of a version as `export_parts` does, unsplit first."""
        side = SIDES.index(self.split) if self.split else -1
        return EXPORT_FORMATS.index(self.format), side, self.sides is not None


def file_name_of(format: ExportFormat, sides: Split | None) -> str:
    """Return the name of an export's file beside all others of its version."""
    part = ExportPart(format, None if sides == "both" else sides)
    stem, _, extension = part.file_name.rpartition(".")
    return f"{stem}.split.{extension}" if sides == "both" else part.file_name


def options_digest(sides: Mapping[UUID, Side] | None) -> str:
    """Return a digest of what an export's bytes follow from, beside its version and format."""
    assigned = None if sides is None else [(str(id), sides[id]) for id in sorted(sides)]
    return _digest(REVISION, assigned)


def _digest(revision: int, sides: list[tuple[str, Side]] | None) -> str:
    return sha256(orjson.dumps({"revision": revision, "sides": sides}))


UNSPLIT = frozenset(_digest(revision, None) for revision in range(1, REVISION + 1))
"""What the digest is without a split, of this release and of earlier ones."""
