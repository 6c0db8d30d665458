"""Rows of the sides of a validation split, and of the likenesses that it is decided by."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from uuid import UUID

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from db.schema import LikenessTable, MembershipTable, SideTable
from db.schemas import statement
from domain.exports import Side
from domain.exports.likeness import Likeness

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('trainfold sides ' || :id, 0))"


def stored_sides(connection: Connection, training_file_id: UUID) -> dict[UUID, Side]:
    """Return the side of every conversation that a split of the training file has placed."""
    query = select(SideTable.conversation_id, SideTable.side).where(
        SideTable.training_file_id == training_file_id
    )
    return {row.conversation_id: row.side for row in connection.execute(query)}


def record_sides(
    connection: Connection,
    training_file_id: UUID,
    sides: Mapping[UUID, Side],
    *,
    expected: int,
    assigned_in: int,
    fraction: Fraction,
) -> bool:
    """Insert new sides if the file has as many as `expected`; tell whether it had.

    Rows are only ever inserted, so that their number tells whether another split was faster.
    """
    connection.execute(statement(connection, LOCK), {"id": str(training_file_id)})
    query = select(func.count()).where(SideTable.training_file_id == training_file_id)
    if connection.execute(query).scalar_one() != expected:
        return False
    shared = {
        "training_file_id": training_file_id,
        "assigned_in": assigned_in,
        "fraction": str(fraction),
    }
    rows = [{**shared, "conversation_id": id, "side": side} for id, side in sides.items()]
    connection.execute(insert(SideTable), rows)
    return True


def likenesses_of_file(
    connection: Connection, training_file_id: UUID
) -> Iterator[tuple[UUID, str, Likeness]]:
    """Yield what each conversation of a training file is or was, with the fragment's digest."""
    member, likeness = MembershipTable, LikenessTable
    query = (
        select(member.conversation_id, member.json_sha256, likeness.shingles, likeness.answers)
        .join(likeness, likeness.json_sha256 == member.json_sha256)
        .where(member.training_file_id == training_file_id)
        .group_by(member.conversation_id, member.json_sha256, likeness.json_sha256)
    )
    for row in connection.execute(query):
        yield row.conversation_id, row.json_sha256, Likeness(row.shingles, row.answers)


def known_likenesses(connection: Connection, digests: Iterable[str]) -> set[str]:
    """Return those of the digests whose likeness is stored."""
    query = select(LikenessTable.json_sha256).where(
        LikenessTable.json_sha256 == func.any(list(digests))
    )
    return set(connection.execute(query).scalars())


def record_likenesses(connection: Connection, likenesses: Mapping[str, Likeness]) -> None:
    """Store likenesses; what is there already is the same."""
    rows = [
        {"json_sha256": digest, "shingles": likeness.shingles, "answers": likeness.answers}
        for digest, likeness in likenesses.items()
    ]
    if rows:
        connection.execute(insert_or_leave(LikenessTable).on_conflict_do_nothing(), rows)
