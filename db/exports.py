"""Exports of versions: each recorded once, whoever makes it first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects.postgresql import insert

from db.commit import MAX_COMMIT_TIME
from db.engine import current_time
from db.schema import ExportTable
from domain.errors import CommitConflict, NotFound
from domain.exports import ExportFormat, Split
from domain.exports.stored import StoredExport, file_name_of
from domain.versions.record import BaseVersion, VersionRecord


def stored_exports(
    connection: Connection, version: BaseVersion, *, options: str | None = None
) -> list[StoredExport]:
    """List a version's exports, or those with this digest of options, in the formats' order."""
    query = select(ExportTable.__table__).where(
        ExportTable.training_file_id == version.training_file_id,
        ExportTable.number == version.number,
    )
    if options is not None:
        query = query.where(ExportTable.options_digest == options)
    newest_first = query.order_by(ExportTable.created_at.desc())
    exports = [_stored_export(row) for row in connection.execute(newest_first).mappings()]
    return sorted(exports, key=lambda export: export.order)


def newest_exports(connection: Connection, training_file_id: UUID) -> list[StoredExport]:
    """List the exports of all versions of a training file, of each file name the newest."""
    query = select(ExportTable.__table__).where(ExportTable.training_file_id == training_file_id)
    oldest_first = query.order_by(ExportTable.created_at)
    exports = [_stored_export(row) for row in connection.execute(oldest_first).mappings()]
    newest = {(export.number, export.format, export.sides): export for export in exports}
    return sorted(newest.values(), key=lambda export: export.order)


def find_export(
    connection: Connection, version: VersionRecord, format: ExportFormat, sides: Split | None
) -> StoredExport:
    """Find the newest export of a version that is this file; raises NotFound."""
    exports = newest_exports(connection, version.training_file_id)
    for export in exports:
        if (export.number, export.format, export.sides) == (version.number, format, sides):
            return export
    raise NotFound(
        f"Version {version.number} of “{version.training_file}” has no stored "
        f"{file_name_of(format, sides)}. `trainfold exports FILE --version {version.number}` lists "
        f"what is. `trainfold export FILE --version {version.number} --format {format}` makes it, "
        "with --validation a split."
    )


def record_exports(
    connection: Connection,
    exports: Sequence[StoredExport],
    *,
    begun: datetime,
    replaced: Sequence[str] = (),
) -> set[str]:
    """Record exports that nobody has recorded yet; return their keys.

    Rows with the keys `replaced` go first. Raises CommitConflict for objects so old that
    maintenance may soon take them for garbage (invariant 12).
    """
    if current_time(connection) - begun > MAX_COMMIT_TIME:
        raise CommitConflict(
            f"The exports were not recorded: they were written more than {MAX_COMMIT_TIME} ago. "
            "Nothing was changed. Ask for them again."
        )
    if replaced:
        connection.execute(delete(ExportTable).where(ExportTable.key.in_(replaced)))
    statement = insert(ExportTable).values([_row(export) for export in exports])
    # Only the primary key: a key that another row has is a defect, no race.
    unless_there = statement.on_conflict_do_nothing(
        index_elements=list(ExportTable.__table__.primary_key)
    )
    return set(connection.execute(unless_there.returning(ExportTable.key)).scalars())


def _stored_export(row: RowMapping) -> StoredExport:
    return StoredExport.model_validate({**row, "split": row["split"] or None})


def _row(export: StoredExport) -> dict[str, Any]:
    return export.model_dump() | {"split": export.split or ""}
