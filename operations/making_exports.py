"""Make the exports that a form asks for, with or without a validation split."""

from collections.abc import Collection

from sqlalchemy import Engine

from domain.errors import Blocked
from domain.exports import ExportFormat
from domain.exports.splits import requested_fraction
from domain.exports.stored import StoredExport
from domain.findings import Reason
from domain.versions.record import VersionRecord
from operations.splits import assigned_sides
from operations.stored_exports import ensure_exports
from storage.store import ObjectStore

MAX_BYTES_TO_WAIT_FOR = 64 * 1024 * 1024
"""Of a version's full JSON: seconds of work. Larger ones are a worker's."""


def make_exports(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    formats: Collection[ExportFormat],
    *,
    validation: float | None,
    created_by: str,
) -> list[StoredExport]:
    """Return the exports, made where they are missing, with a split if `validation` is a share.

    Raises Blocked for a share that is none, and what `assigned_sides` and `ensure_exports` raise.
    """
    fraction = requested_fraction(validation)
    sides = assigned_sides(engine, store, version, validation=fraction) if fraction else None
    return ensure_exports(engine, store, version, formats, created_by=created_by, sides=sides)


def refuse_large(version: VersionRecord) -> None:
    """Raise Blocked where nobody should wait at a page or a connection for the exports."""
    if version.full.size_bytes > MAX_BYTES_TO_WAIT_FOR:
        text = (
            f"Version {version.number} is too large to be exported here. Run `trainfold export "
            f"FILE --version {version.number}`, or the deployment export-version in Prefect."
        )
        raise Blocked([Reason(code="version-too-large", reason=text)])
