"""Read stored exports, and prove that they are what was recorded."""

import hashlib
from collections.abc import Iterable, Iterator

from sqlalchemy import Engine

from domain.errors import Damaged, ObjectMissing
from domain.exports.stored import StoredExport, options_digest
from domain.versions.record import VersionRecord
from operations.binding import require_bound
from storage.store import ObjectStore


def proven_export(
    engine: Engine, store: ObjectStore, version: VersionRecord, export: StoredExport
) -> Iterator[bytes]:
    """Yield an export's bytes; raise Damaged before the last ones unless all are as recorded."""
    try:
        yield from _read(store, export)
    except _Defect as defect:
        require_bound(engine, store)
        raise Damaged(version.training_file, version.number, [str(defect)]) from None


def export_findings(store: ObjectStore, exports: Iterable[StoredExport]) -> Iterator[str]:
    """Yield a finding for each export whose object is not what was recorded."""
    for export in exports:
        try:
            for _ in _read(store, export):
                pass
        except _Defect as defect:
            yield str(defect)


class _Defect(Exception):
    """The finding about one export."""


def _read(store: ObjectStore, export: StoredExport) -> Iterator[bytes]:
    digest, held = hashlib.sha256(), b""
    try:
        for chunk in store.chunks(export.key):
            digest.update(chunk)
            # The last bytes are held back: a download without them is seen to be torn.
            if held:
                yield held
            held = chunk
    except ObjectMissing:
        raise _Defect(_finding(export, "is gone")) from None
    if digest.hexdigest() != export.sha256:
        raise _Defect(_finding(export, "differs from its recorded sha256"))
    yield held


def _finding(export: StoredExport, defect: str) -> str:
    split = "" if export.options_digest == options_digest(None) else " --validation SHARE"
    command = f"trainfold export … --format {export.format}{split} --again"
    return (
        f"the export {export.part.file_name} {defect} ({export.key}); this does not concern the "
        f"version itself, and `{command}` makes it anew"
    )
