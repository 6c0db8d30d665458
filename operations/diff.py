"""Compare two versions: memberships tell what changed, and only changed conversations are read."""

from collections.abc import Mapping
from uuid import UUID

import orjson
from sqlalchemy import Engine

from db.engine import reading
from db.history import members_of_one_only, places_in_json
from db.versions import find_stored_version
from domain.errors import Damaged
from domain.format.digest import sha256
from domain.format.spans import Span
from domain.versions.diff import (
    ConversationChange,
    VersionDiff,
    compare_conversations,
    compare_members,
)
from domain.versions.record import Member, VersionRecord
from storage.store import ObjectStore


def compare_versions(
    engine: Engine,
    store: ObjectStore,
    name: str,
    before: str,
    after: str | None = None,
    *,
    max_changed: int,
) -> VersionDiff:
    """Compare a version with another, by default the current one.

    Reads the bytes of the first `max_changed` changed conversations, one after another. Raises
    NotFound, and Damaged where their bytes are not what their version records.
    """
    with reading(engine) as connection:
        old, new = (find_stored_version(connection, name, version) for version in (before, after))
        changes = compare_members(
            members_of_one_only(connection, old, new), members_of_one_only(connection, new, old)
        )
        changed = changes.changed[:max_changed]
        ids = [member.conversation_id for _, member in changed]
        then, now = (places_in_json(connection, version, ids) for version in (old, new))

    def compare(one: Member, other: Member) -> ConversationChange:
        states = (
            _read(store, version, member, places)
            for version, member, places in ((old, one, then), (new, other, now))
        )
        return compare_conversations(one, other, *map(orjson.loads, states))

    details = [compare(one, other) for one, other in changed]
    return VersionDiff(before=old, after=new, members=changes, details=details)


def _read(
    store: ObjectStore, version: VersionRecord, member: Member, places: Mapping[UUID, Span]
) -> bytes:
    span = places[member.conversation_id]
    data = b"".join(store.chunks(span.key, span.start, span.end))
    if sha256(data) != member.json_sha256:
        finding = f"conversation {member.conversation_id} in the JSON is not what is recorded"
        raise Damaged(version.training_file, version.number, [finding])
    return data
