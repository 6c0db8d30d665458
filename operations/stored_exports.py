"""Make exports of a version once: written to the store, recorded, found again by whoever asks."""

import errno
import secrets
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine

from db.engine import current_time, reading, writing
from db.exports import record_exports, stored_exports
from domain.errors import CommitOutcomeUnknown, NotReady, ObjectMissing, TrainfoldError, Unreachable
from domain.exports import CONTENT_TYPES, EXPORT_FORMATS, ExportFormat, Side
from domain.exports.stored import StoredExport, options_digest
from domain.exports.summary import ExportSummary
from domain.versions.naming import export_key
from domain.versions.record import VersionRecord
from operations.binding import require_bound
from operations.export import ExportFile, sha256_of, write_exports
from operations.parquet import has_pyarrow, require_pyarrow
from storage.store import ObjectStore


def possible_formats() -> tuple[ExportFormat, ...]:
    """Return the formats that this installation can write; Parquet needs an extra."""
    return tuple(format for format in EXPORT_FORMATS if format != "parquet" or has_pyarrow())


def ensure_exports(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    formats: Collection[ExportFormat],
    *,
    created_by: str,
    sides: Mapping[UUID, Side] | None = None,
    again: bool = False,
) -> list[StoredExport]:
    """Return the exports of these formats, in one pass over the version for those that lack.

    `again` makes all of them anew, in the place of damaged ones. Raises what `write_exports` does,
    and NotReady without pyarrow or room for temporary files; nothing is recorded then.
    """
    options = options_digest(sides)
    there = _stored(engine, version, formats, options)
    made = set() if again else {export.format for export in there}
    missing = [format for format in formats if format not in made]
    if not missing:
        return there
    if "parquet" in missing:
        require_pyarrow()
    require_bound(engine, store)
    replaced = [export.key for export in there if again]
    with _temporary_folder() as folder:
        summary, files = write_exports(engine, store, version, folder, missing, sides=sides)
        with reading(engine) as connection:
            begun = current_time(connection)
        exports = [
            _stored_export(version, file, summary, options, created_at=begun, created_by=created_by)
            for file in files
        ]
        _store(engine, store, exports, files, begun=begun, replaced=replaced)
    return _stored(engine, version, formats, options)


def summary_of(exports: Sequence[StoredExport]) -> ExportSummary:
    """Return the summary of the version that these exports were made from."""
    return ExportSummary(**exports[0].summary)


def _stored(
    engine: Engine, version: VersionRecord, formats: Collection[ExportFormat], options: str
) -> list[StoredExport]:
    with reading(engine) as connection:
        exports = stored_exports(connection, version, options=options)
    return [export for export in exports if export.format in formats]


def _stored_export(
    version: VersionRecord,
    file: ExportFile,
    summary: ExportSummary,
    options: str,
    *,
    created_at: datetime,
    created_by: str,
) -> StoredExport:
    return StoredExport(
        training_file_id=version.training_file_id,
        number=version.number,
        format=file.part.format,
        split=file.part.side,
        options_digest=options,
        key=export_key(
            version.training_file_id,
            version.number,
            request_id=version.request_id,
            attempt=secrets.token_hex(4),
            file_name=file.part.file_name,
        ),
        size_bytes=file.path.stat().st_size,
        sha256=sha256_of(file.path),
        row_count=file.row_count,
        target_count=file.target_count,
        conversation_count=file.conversation_count,
        summary=asdict(summary),
        created_at=created_at,
        created_by=created_by,
    )


def _store(
    engine: Engine,
    store: ObjectStore,
    exports: Sequence[StoredExport],
    files: Sequence[ExportFile],
    *,
    begun: datetime,
    replaced: Sequence[str],
) -> None:
    """Upload the files, then record those that nobody else has recorded; delete the others."""
    own: set[str] = set()
    try:
        for export, file in zip(exports, files, strict=True):
            _upload(store, export, file.path)
        for export in exports:
            _look_again(store, export)
        with writing(engine) as connection:
            own = record_exports(connection, exports, begun=begun, replaced=replaced)
    except CommitOutcomeUnknown:
        # The database may still record them: if it does not, maintenance removes them.
        raise
    except TrainfoldError:
        _drop(store, [export.key for export in exports])
        raise
    _drop(store, [export.key for export in exports if export.key not in own])


def _upload(store: ObjectStore, export: StoredExport, path: Path) -> None:
    with path.open("rb") as file:
        store.upload(export.key, file, content_type=CONTENT_TYPES[export.format])


def _look_again(store: ObjectStore, export: StoredExport) -> None:
    """Check that the object is there, whole, at the last moment before it is recorded."""
    try:
        size = store.size(export.key)
    except ObjectMissing:
        size = 0
    if size != export.size_bytes:
        raise Unreachable(
            f"The object store holds {size:,} bytes at {export.key} where {export.size_bytes:,} "
            "were sent. No export was recorded. Ask for it again."
        )


def _drop(store: ObjectStore, keys: Sequence[str]) -> None:
    """Delete objects that are certainly not recorded; errors leave garbage."""
    with suppress(TrainfoldError):
        for key in keys:
            store.delete(key)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="trainfold-export-") as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NotReady(
            f"There is no room for temporary files in {tempfile.gettempdir()}. No export was "
            "recorded. Make room, or set TMPDIR to a folder that has it, and ask again."
        ) from error
