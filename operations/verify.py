"""Read a version's objects back and compare them with what the version records.

A missing object is damage only where the bucket is the right one: a wrong address misses them all.
"""

from collections.abc import Iterator
from itertools import chain, islice

from sqlalchemy import Engine

from db.engine import reading
from db.exports import stored_exports
from db.file_life import whereabouts
from db.versions import find_stored_version, members, no_training_file
from domain.errors import Damaged, ObjectMissing
from domain.format import Format
from domain.versions.layout import Section, proven
from domain.versions.record import VersionRecord
from domain.versions.verification import check
from operations.binding import require_bound
from operations.export_reading import export_findings
from storage.store import ObjectStore

MAX_FINDINGS = 20


def verify_version(
    engine: Engine, store: ObjectStore, name: str, number: str | int | None = None
) -> VersionRecord:
    """Return the version if its objects and exports are sound; raise Damaged if not.

    Raises NotFound for a released version, NotReady if the bucket is missing or belongs to another
    database.
    """
    with reading(engine) as connection:
        version = find_stored_version(connection, name, number)
        recorded = list(members(connection, version))
        exports = stored_exports(connection, version)
    full, lines = store.chunks(version.full.key), store.chunks(version.lines.key)
    found = chain(check(version, recorded, full=full, lines=lines), export_findings(store, exports))
    try:
        findings = list(islice(found, MAX_FINDINGS))
    except ObjectMissing as missing:
        require_bound(engine, store)
        _require_stored(engine, version)
        findings = [str(missing)]
    if findings:
        raise Damaged(version.training_file, version.number, findings)
    return version


def verified_sections(
    engine: Engine, store: ObjectStore, version: VersionRecord, format: Format
) -> Iterator[tuple[Section, bytes]]:
    """Read an object of a version; raise Damaged before the first bytes that differ."""
    with reading(engine) as connection:
        recorded = list(members(connection, version))
    key = version.stored(format).key
    try:
        yield from proven(version, recorded, format, store.chunks(key))
    except ObjectMissing:
        require_bound(engine, store)
        _require_stored(engine, version)
        raise


def _require_stored(engine: Engine, version: VersionRecord) -> None:
    """Raise NotFound where the version was released, or its file deleted, since it was read."""
    with reading(engine) as connection:
        name, deleted_at = whereabouts(connection, version.training_file_id)
        if deleted_at:
            raise no_training_file(connection, name)
        find_stored_version(connection, name, version.number)


def verified_content(
    engine: Engine, store: ObjectStore, version: VersionRecord, format: Format
) -> Iterator[bytes]:
    """Read all bytes of an object, as `verified_sections` does."""
    return (data for _, data in verified_sections(engine, store, version, format))
