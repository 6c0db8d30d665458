"""Split a version into what is trained and what validates, so that nobody ever changes sides."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from uuid import UUID

from sqlalchemy import Engine

from db.engine import reading, writing
from db.sides import (
    known_likenesses,
    likenesses_of_file,
    record_likenesses,
    record_sides,
    stored_sides,
)
from db.versions import members
from domain.exports import Side
from domain.exports.likeness import Likeness, likeness_of
from domain.exports.splits import Unassigned, assign, exact_fraction
from domain.versions.record import Member, VersionRecord
from operations.conversations import read_conversations
from storage.store import ObjectStore

CHUNK = 200
"""Conversations whose likenesses are stored in one transaction."""


def assigned_sides(
    engine: Engine, store: ObjectStore, version: VersionRecord, *, validation: Fraction | float
) -> Mapping[UUID, Side]:
    """Return the side of every conversation of the version that has an answer, in its order.

    Sides are stored at the first call and never change, whatever fraction a later call asks for:
    that only places conversations without a side. Of concurrent calls, all return what the first
    has stored. Raises ValueError for a fraction that is none, and Damaged.
    """
    fraction = exact_fraction(validation)
    with reading(engine) as connection:
        held = list(members(connection, version))
    examples = [member for member in held if member.statistics.example_count]
    while True:
        with reading(engine) as connection:
            sides = stored_sides(connection, version.training_file_id)
        missing = [member for member in examples if member.conversation_id not in sides]
        if not missing:
            return {member.conversation_id: sides[member.conversation_id] for member in examples}
        store_likenesses(engine, store, version, held)
        new = _assign(engine, version, examples, sides, fraction)
        with writing(engine) as connection:
            record_sides(
                connection,
                version.training_file_id,
                new,
                expected=len(sides),
                assigned_in=version.number,
                fraction=fraction,
            )


def sides_of(engine: Engine, version: VersionRecord) -> Mapping[UUID, Side]:
    """Return the stored sides of the version's conversations; assigns none."""
    with reading(engine) as connection:
        sides = stored_sides(connection, version.training_file_id)
        held = [member.conversation_id for member in members(connection, version)]
    return {id: sides[id] for id in held if id in sides}


def store_likenesses(
    engine: Engine, store: ObjectStore, version: VersionRecord, held: Sequence[Member]
) -> None:
    """Compute the likenesses that are not stored; memory holds those of 200 conversations."""
    with reading(engine) as connection:
        known = known_likenesses(connection, [member.json_sha256 for member in held])
    wanted = {member.json_sha256 for member in held} - known
    computed = (
        (member.json_sha256, likeness_of(conversation["training_pairs"]))
        for member, conversation in read_conversations(engine, store, version, held, wanted=wanted)
    )
    while chunk := dict(islice(computed, CHUNK)):
        with writing(engine) as connection:
            record_likenesses(connection, chunk)


def _assign(
    engine: Engine,
    version: VersionRecord,
    examples: Sequence[Member],
    sides: Mapping[UUID, Side],
    fraction: Fraction,
) -> dict[UUID, Side]:
    current = {m.conversation_id: m for m in examples if m.conversation_id not in sides}
    assigned = list[tuple[UUID, Likeness]]()
    unassigned = dict[UUID, Likeness]()
    with reading(engine) as connection:
        for id, digest, likeness in likenesses_of_file(connection, version.training_file_id):
            if id in sides:
                assigned.append((id, likeness))
            elif id in current and current[id].json_sha256 == digest:
                unassigned[id] = likeness
    return assign(
        list(_in_order(current.values(), unassigned)),
        assigned=sides,
        arcs={
            member.conversation_id: member.statistics.emotional_arc_key
            for member in examples
            if member.conversation_id in sides
        },
        contents=assigned,
        fraction=fraction,
        seed=version.training_file_id,
    )


def _in_order(
    current: Iterable[Member], likenesses: Mapping[UUID, Likeness]
) -> Iterator[Unassigned]:
    for member in current:
        id = member.conversation_id
        yield Unassigned(id, member.statistics.emotional_arc_key, likenesses[id])
