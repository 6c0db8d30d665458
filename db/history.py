"""What removals, rollbacks and comparisons read: members in short, sums, differences, places."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select

from db.schema import MembershipTable, TrainingFileTable
from db.schemas import statement
from db.versions import in_version, member_of
from domain.format.full_json import BETWEEN
from domain.format.spans import Span
from domain.statistics import VersionStatistics
from domain.versions.record import BaseVersion, Footprints, Member

FOOTPRINTS = """
    SELECT array_agg(CAST(conversation_id AS text) ORDER BY position),
           array_agg(json_length ORDER BY position), array_agg(json_sha256 ORDER BY position),
           array_agg(jsonl_length ORDER BY position), array_agg(jsonl_sha256 ORDER BY position)
    FROM $training_file_conversations
    WHERE training_file_id = :file AND added_in <= :number
      AND (removed_in IS NULL OR removed_in > :number)
"""
# One pass over the memberships: the row of no key sums all, the others count one key each.
STATISTICS = """
    SELECT GROUPING(persona_key) AS no_persona, GROUPING(emotional_arc_key) AS no_arc,
           GROUPING(training_topic_key) AS no_topic, GROUPING(quality_tier) AS no_tier,
           coalesce(persona_key, emotional_arc_key, training_topic_key, quality_tier) AS key,
           count(*) AS conversations, sum(pair_count) AS pairs, sum(example_count) AS examples,
           sum(human_reviewed_count) AS human_reviewed, sum(quality_sum) AS quality_sum,
           min(quality_min) AS quality_min, max(quality_max) AS quality_max
    FROM $training_file_conversations
    WHERE training_file_id = :file AND added_in <= :number
      AND (removed_in IS NULL OR removed_in > :number)
      AND conversation_id <> ALL (CAST(:without AS uuid[]))
    GROUP BY GROUPING SETS
        ((), (persona_key), (emotional_arc_key), (training_topic_key), (quality_tier))
"""


# The database adds up the lengths: all of them would be megabytes to read for a few places.
PLACES = """
    SELECT conversation_id, after - json_length AS start, after AS end FROM (
        SELECT conversation_id, json_length,
               :content + sum(json_length + :between) OVER (ORDER BY position) - :between AS after
        FROM $training_file_conversations
        WHERE training_file_id = :file AND added_in <= :number
          AND (removed_in IS NULL OR removed_in > :number)) AS places
    WHERE conversation_id = ANY (CAST(:ids AS uuid[]))
"""


def training_file_status(connection: Connection, version: BaseVersion) -> str:
    """Return the status of the training file that the version belongs to."""
    query = select(TrainingFileTable.status).where(TrainingFileTable.id == version.training_file_id)
    status: str = connection.execute(query).scalar_one()
    return status


def footprints(connection: Connection, version: BaseVersion) -> Footprints:
    """Return the conversations of a version in its order, in short, out of one row."""
    values = {"file": version.training_file_id, "number": version.number}
    row = connection.execute(statement(connection, FOOTPRINTS), values).one()
    return Footprints._make(row)


def statistics_without(
    connection: Connection, version: BaseVersion, removed: Sequence[UUID]
) -> VersionStatistics:
    """Sum the members' own statistics, exactly, over all but the removed; at least one is left."""
    values = {
        "file": version.training_file_id,
        "number": version.number,
        "without": [str(id) for id in removed],
    }
    rows = connection.execute(statement(connection, STATISTICS), values).mappings().all()
    (sums,) = [row for row in rows if row["key"] is None]
    return VersionStatistics(
        **{name: sums[name] for name in VersionStatistics.model_fields if name in sums},
        personas=_counts(rows, "no_persona"),
        emotional_arcs=_counts(rows, "no_arc"),
        training_topics=_counts(rows, "no_topic"),
        tiers=_counts(rows, "no_tier"),
    )


def members_of_one_only(
    connection: Connection, version: BaseVersion, other: BaseVersion
) -> list[Member]:
    """Return the memberships of a version that another one of its training file does not have."""
    there = in_version(select(MembershipTable.__table__), other)
    query = in_version(select(MembershipTable.__table__), version)
    # A membership is one interval: its start tells it from the conversation's other ones.
    elsewhere = there.order_by(None).subquery()
    missing = (
        select(elsewhere.c.added_in)
        .where(
            elsewhere.c.conversation_id == MembershipTable.conversation_id,
            elsewhere.c.added_in == MembershipTable.added_in,
        )
        .exists()
    )
    return [member_of(row) for row in connection.execute(query.where(~missing)).mappings()]


def places_in_json(
    connection: Connection, version: BaseVersion, ids: Iterable[UUID]
) -> dict[UUID, Span]:
    """Find where the bytes of these conversations are in the version's full JSON."""
    values = {
        "file": version.training_file_id,
        "number": version.number,
        "content": version.full.content_start,
        "between": len(BETWEEN),
        "ids": list(map(str, ids)),
    }
    rows = connection.execute(statement(connection, PLACES), values).mappings()
    return {
        row["conversation_id"]: Span(version.full.key, int(row["start"]), int(row["end"]))
        for row in rows
    }


def _counts(rows: Iterable[RowMapping], absent: str) -> dict[str, int]:
    """Count the rows of one grouping set, in the order in which versions list keys."""
    return dict(sorted((row["key"], row["conversations"]) for row in rows if not row[absent]))
