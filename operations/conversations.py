"""Read some of a version's conversations out of its JSON, each verified against its digest."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import orjson
from sqlalchemy import Engine

from domain.errors import Damaged, ObjectMissing
from domain.format.digest import sha256
from domain.format.full_json import BETWEEN
from domain.versions.layout import ByteStream
from domain.versions.record import Member, VersionRecord
from operations.binding import require_bound
from storage.store import ObjectStore


def read_conversations(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    members: Sequence[Member],
    *,
    wanted: AbstractSet[str],
) -> Iterator[tuple[Member, dict[str, Any]]]:
    """Yield the conversations whose digest is in `wanted`, reading only where they are.

    `members` are all of the version's, in its order; neighbours are read in one request. Raises
    Damaged before a conversation that is not what the version records.
    """
    try:
        for start, run in _runs(version, members, wanted):
            end = start + sum(m.json_length for m in run) + len(BETWEEN) * (len(run) - 1)
            stream = ByteStream(store.chunks(version.full.key, start, end))
            for member in run:
                yield member, _parsed(version, member, stream.read(member.json_length))
                stream.read(len(BETWEEN))
    except ObjectMissing:
        require_bound(engine, store)
        raise


def _runs(
    version: VersionRecord, members: Iterable[Member], wanted: AbstractSet[str]
) -> Iterator[tuple[int, list[Member]]]:
    """Yield neighbours that are wanted, with the offset of the first."""
    place = version.full.content_start
    first, run = place, list[Member]()
    for member in members:
        if member.json_sha256 in wanted:
            first = first if run else place
            run.append(member)
        elif run:
            yield first, run
            run = []
        place += member.json_length + len(BETWEEN)
    if run:
        yield first, run


def _parsed(version: VersionRecord, member: Member, data: bytes) -> dict[str, Any]:
    if sha256(data) != member.json_sha256:
        finding = (
            f"conversation {member.conversation_id} in the JSON is not what the version records"
        )
        raise Damaged(version.training_file, version.number, [finding])
    value: dict[str, Any] = orjson.loads(data)
    return value
