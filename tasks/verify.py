"""Read a version's objects back and compare them with what it records. Needs no Prefect."""

from itertools import islice

from sqlalchemy import Engine

from db.engine import reading
from db.versions import find_version, members
from domain.errors import Damaged, ObjectMissing
from domain.verification import check
from domain.version import VersionRecord
from storage.store import ObjectStore

MOST_FINDINGS = 20


def verify_version(
    engine: Engine, store: ObjectStore, name: str, number: int | None = None
) -> VersionRecord:
    """The version, when its objects are sound; raises Damaged with what is wrong."""
    with reading(engine) as connection:
        version = find_version(connection, name, number)
        recorded = list(members(connection, version))
    try:
        found = check(
            version,
            recorded,
            full=store.chunks(version.json_key),
            lines=store.chunks(version.jsonl_key),
        )
        findings = list(islice(found, MOST_FINDINGS))
    except ObjectMissing as missing:
        findings = [str(missing)]
    if findings:
        raise Damaged(version.training_file, version.number, findings)
    return version
