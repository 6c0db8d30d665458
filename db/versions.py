"""Versions: committed once by compare-and-swap, then only read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, func, insert, or_, select, union_all, update
from sqlalchemy.exc import IntegrityError

from db.engine import current_time, writing
from db.schema import Membership, TrainingFile, Version
from domain.errors import Blocked, CommitConflict, NotFound
from domain.findings import Reason
from domain.naming import name_key, normal_name
from domain.requests import AddRequest, RebuildRequest
from domain.statistics import Statistics
from domain.version import Contribution, Member, VersionRecord

LONGEST_COMMIT = timedelta(hours=1)
"""From the base's reading to the commit. Maintenance leaves objects alone for longer than that."""

CONTRIBUTION_COLUMNS = set(Contribution.model_fields) - {"statistics"}

_JOINED = select(
    *(column for column in Version.__table__.columns),
    TrainingFile.name.label("training_file"),
    TrainingFile.created_at.label("training_file_created_at"),
    TrainingFile.consultant_profile,
).join(TrainingFile, TrainingFile.id == Version.training_file_id)


def commit(
    engine: Engine, version: VersionRecord, added: Sequence[Contribution], *, description: str
) -> None:
    """Record the version and the members it adds, and make it current, or change nothing.

    Raises CommitConflict when another request was faster (it moved or created the training file,
    added one of the conversations, or is this same request), CommitOutcomeUnknown when the
    connection died in the commit.
    """
    with _committing(engine, version) as connection:
        _move_pointer(connection, version, description)
        connection.execute(insert(Version), [_version_row(version)])
        first = _next_position(connection, version.training_file_id)
        rows = [_member_row(version, each, position) for position, each in enumerate(added, first)]
        connection.execute(insert(Membership), rows)


def commit_rebuild(engine: Engine, version: VersionRecord, changed: Sequence[Member]) -> None:
    """Record a version in which members contribute other bytes, each at its old place.

    Raises as `commit` does.
    """
    with _committing(engine, version) as connection:
        _move_pointer(connection, version, "")
        connection.execute(insert(Version), [_version_row(version)])
        connection.execute(
            update(Membership)
            .where(
                Membership.training_file_id == version.training_file_id,
                Membership.removed_in.is_(None),
                Membership.conversation_id.in_([member.conversation_id for member in changed]),
            )
            .values(removed_in=version.number)
        )
        if changed:
            rows = [_member_row(version, member, member.position) for member in changed]
            connection.execute(insert(Membership), rows)


@contextmanager
def _committing(engine: Engine, version: VersionRecord) -> Iterator[Connection]:
    """One transaction on a version whose objects are fresh; what collides was overtaken."""
    try:
        with writing(engine) as connection:
            _refuse_stale(connection, version)
            yield connection
    except IntegrityError as error:
        raise CommitConflict(_conflict(version)) from error


def find_request(
    connection: Connection, request: AddRequest | RebuildRequest
) -> VersionRecord | None:
    """The version that this request already made (invariant 5).

    Raises Blocked when the request id belongs to a different request.
    """
    query = _JOINED.where(Version.request_id == request.request_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    if row["request_digest"] != request.digest:
        reason = (
            f"The request id {request.request_id} was used for a different request, which made "
            f"version {row['number']} of “{row['training_file']}”. Use a new request id."
        )
        raise Blocked([Reason(code="request-id-reused", reason=reason)])
    return VersionRecord.model_validate(row)


def find_version(connection: Connection, name: str, number: int | None = None) -> VersionRecord:
    """A version of a training file, by default the current one; raises NotFound."""
    wanted = TrainingFile.current_version if number is None else number
    query = _JOINED.where(TrainingFile.name_key == name_key(name), Version.number == wanted)
    row = connection.execute(query).mappings().one_or_none()
    if row is not None:
        return VersionRecord.model_validate(row)
    current = connection.execute(
        select(TrainingFile.current_version).where(TrainingFile.name_key == name_key(name))
    ).scalar_one_or_none()
    if current is None:
        raise NotFound(
            f"There is no training file “{normal_name(name)}”. `trainfold files` lists them."
        )
    raise NotFound(f"“{normal_name(name)}” has no version {number}; it has 1 to {current}.")


def versions(connection: Connection, name: str) -> list[VersionRecord]:
    """All versions of a training file, newest first; raises NotFound."""
    current = find_version(connection, name)
    query = _JOINED.where(Version.training_file_id == current.training_file_id)
    rows = connection.execute(query.order_by(Version.number.desc())).mappings()
    return [VersionRecord.model_validate(row) for row in rows]


def referenced_keys(connection: Connection) -> set[str]:
    """The keys of all objects that a version refers to."""
    query = union_all(select(Version.json_key), select(Version.jsonl_key))
    return set(connection.execute(query).scalars())


def members(connection: Connection, version: VersionRecord) -> Iterator[Member]:
    """The conversations of a version, in its order (invariant 6)."""
    query = (
        select(Membership.__table__)
        .where(
            Membership.training_file_id == version.training_file_id,
            Membership.added_in <= version.number,
            or_(Membership.removed_in.is_(None), Membership.removed_in > version.number),
        )
        .order_by(Membership.position)
    )
    for row in connection.execute(query).mappings():
        yield Member.model_validate({**row, "statistics": _statistics(row)})


def _refuse_stale(connection: Connection, version: VersionRecord) -> None:
    """Objects that maintenance may soon take for garbage are not committed any more."""
    if current_time(connection) - version.created_at > LONGEST_COMMIT:
        raise CommitConflict(
            f"Version {version.number} of “{version.training_file}” was not recorded: its objects "
            f"were written more than {LONGEST_COMMIT} ago."
        )


def _move_pointer(connection: Connection, version: VersionRecord, description: str) -> None:
    if version.number == 1:
        connection.execute(insert(TrainingFile), [_file_row(version, description)])
        return
    moved = connection.execute(
        update(TrainingFile)
        .where(
            TrainingFile.id == version.training_file_id,
            TrainingFile.current_version == version.number - 1,
            TrainingFile.status == "active",
        )
        .values(current_version=version.number, updated_at=version.created_at)
    )
    if moved.rowcount != 1:
        raise CommitConflict(_conflict(version))


def _conflict(version: VersionRecord) -> str:
    return (
        f"Another request was faster than version {version.number} of "
        f"“{version.training_file}”. Nothing was recorded for this one."
    )


def _next_position(connection: Connection, training_file_id: UUID) -> int:
    last = select(func.max(Membership.position)).where(
        Membership.training_file_id == training_file_id, Membership.removed_in.is_(None)
    )
    return (connection.execute(last).scalar() or 0) + 1


def _file_row(version: VersionRecord, description: str) -> dict[str, Any]:
    return {
        "id": version.training_file_id,
        "name": version.training_file,
        "name_key": name_key(version.training_file),
        "description": description,
        "consultant_profile": version.consultant_profile,
        "current_version": version.number,
        "created_at": version.training_file_created_at,
        "created_by": version.created_by,
        "updated_at": version.created_at,
    }


def _version_row(version: VersionRecord) -> dict[str, Any]:
    row = version.model_dump(
        exclude={"training_file", "training_file_created_at", "consultant_profile"}
    )
    row["statistics"] = version.statistics.model_dump(mode="json")
    return row


def _member_row(
    version: VersionRecord, contribution: Contribution, position: int
) -> dict[str, Any]:
    numbers = contribution.statistics
    return {
        "training_file_id": version.training_file_id,
        "added_in": version.number,
        "position": position,
        **contribution.model_dump(include=CONTRIBUTION_COLUMNS),
        "pair_count": numbers.pairs,
        "example_count": numbers.examples,
        "human_reviewed_count": numbers.human_reviewed,
        "quality_sum": numbers.quality_sum,
        "quality_min": numbers.quality_min,
        "quality_max": numbers.quality_max,
        "quality_tier": next(iter(numbers.tiers)),
        "persona_key": next(iter(numbers.personas)),
        "emotional_arc_key": next(iter(numbers.emotional_arcs)),
        "training_topic_key": next(iter(numbers.training_topics)),
    }


def _statistics(row: RowMapping) -> Statistics:
    """The statistics of one member, as `_member_row` wrote them."""
    return Statistics(
        conversations=1,
        pairs=row["pair_count"],
        examples=row["example_count"],
        human_reviewed=row["human_reviewed_count"],
        quality_sum=row["quality_sum"],
        quality_min=row["quality_min"],
        quality_max=row["quality_max"],
        personas={row["persona_key"]: 1},
        emotional_arcs={row["emotional_arc_key"]: 1},
        training_topics={row["training_topic_key"]: 1},
        tiers={row["quality_tier"]: 1},
    )
