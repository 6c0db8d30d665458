"""The tables of trainfold's schema: its own, and source tables for those without an application.

Source tables are read through `db.source_tables`, wherever they are; the classes here are what
`import` writes. Only the own tables are compared with the models.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DEFAULT_SCHEMA = "trainfold"
"""Statements on these tables name this schema; `db.engine` translates it to the configured one."""
VERSION_TABLE = "trainfold_schema_version"
"""Alembic's, in trainfold's schema."""
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
_quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
TYPES = {
    datetime: SqlDateTime(timezone=True),
    str: Text,
    Decimal: Numeric,
    # Plain JSON keeps the order of keys, which the consultant profile's bytes depend on.
    dict[str, Any]: JSON,
    list[dict[str, Any]]: JSON,
}


class OwnTable(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING, schema=DEFAULT_SCHEMA)
    type_annotation_map = TYPES


class SourceTable(DeclarativeBase):
    """Source tables of our own, made by the migrations beside an application's, too."""

    metadata = MetaData(naming_convention=NAMING, schema=DEFAULT_SCHEMA)
    type_annotation_map = TYPES


class TrainingFileTable(OwnTable):
    __tablename__ = "training_files"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'archived', 'deleted')", name="status"),
        CheckConstraint("(status = 'deleted') = (deleted_at IS NOT NULL)", name="deleted"),
        CheckConstraint("keep_last > 0 AND keep_days > 0", name="keep"),
        Index(
            "uq_training_files_name_key",
            "name_key",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    """Names that differ only in case or Unicode form are the same name; deletion frees it."""
    description: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    consultant_profile: Mapped[dict[str, Any]]
    current_version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    keep_last: Mapped[int | None]
    """`domain.versions.retention.KeepPolicy`, with the two that follow."""
    keep_days: Mapped[int | None]
    keep_tagged: Mapped[bool] = mapped_column(server_default=text("false"))
    refuses_damage: Mapped[bool] = mapped_column(server_default=text("false"))


class VersionTable(OwnTable):
    __tablename__ = "training_file_versions"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint(
            "reason IN ('create', 'add', 'remove', 'rebuild', 'rollback')", name="reason"
        ),
    )

    training_file_id: Mapped[UUID] = mapped_column(
        ForeignKey("training_files.id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    """The training file's name when the version was made; it is part of the stored bytes."""
    request_id: Mapped[str] = mapped_column(unique=True)
    """One request makes one version, however often it is retried (invariant 5)."""
    request_digest: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    json_key: Mapped[str] = mapped_column(unique=True)
    json_size_bytes: Mapped[int] = mapped_column(BigInteger)
    json_digest: Mapped[str]
    json_content_start: Mapped[int] = mapped_column(BigInteger)
    json_content_end: Mapped[int] = mapped_column(BigInteger)
    jsonl_key: Mapped[str] = mapped_column(unique=True)
    jsonl_size_bytes: Mapped[int] = mapped_column(BigInteger)
    jsonl_digest: Mapped[str]
    jsonl_content_start: Mapped[int] = mapped_column(BigInteger)
    conversation_count: Mapped[int] = mapped_column(Integer)
    pair_count: Mapped[int] = mapped_column(Integer)
    example_count: Mapped[int] = mapped_column(Integer)
    statistics: Mapped[dict[str, Any]]
    """`domain.statistics.VersionStatistics`, exact."""
    warnings: Mapped[list[dict[str, Any]]]
    """`domain.findings.VersionWarning` of the conversations that this version added."""
    comment: Mapped[str] = mapped_column(server_default="")
    """Why somebody removed conversations or rolled back, in their words."""
    restores: Mapped[int | None]
    """The version whose content a rollback brought back."""


class MembershipTable(OwnTable):
    """A conversation is in the versions from `added_in` to before `removed_in`.

    Positions order the members; they may have gaps, and are unique among current members.
    """

    __tablename__ = "training_file_conversations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["training_file_id", "added_in"],
            ["training_file_versions.training_file_id", "training_file_versions.number"],
            name="fk_training_file_conversations_version",
        ),
        CheckConstraint("removed_in > added_in", name="interval"),
        Index(
            "uq_training_file_conversations_member",
            "training_file_id",
            "conversation_id",
            unique=True,
            postgresql_where=text("removed_in IS NULL"),
        ),
        Index(
            "uq_training_file_conversations_position",
            "training_file_id",
            "position",
            unique=True,
            postgresql_where=text("removed_in IS NULL"),
        ),
        Index("ix_training_file_conversations_conversation_id", "conversation_id"),
    )

    training_file_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    added_in: Mapped[int] = mapped_column(primary_key=True)
    removed_in: Mapped[int | None]
    position: Mapped[int]
    line_suffix: Mapped[str]
    json_length: Mapped[int]
    json_sha256: Mapped[str]
    jsonl_length: Mapped[int]
    jsonl_sha256: Mapped[str]
    pair_count: Mapped[int]
    example_count: Mapped[int]
    human_reviewed_count: Mapped[int]
    quality_sum: Mapped[Decimal]
    quality_min: Mapped[Decimal]
    quality_max: Mapped[Decimal]
    quality_tier: Mapped[str]
    persona_key: Mapped[str]
    emotional_arc_key: Mapped[str]
    training_topic_key: Mapped[str]


class TagTable(OwnTable):
    """A name for a version, by which it is found; the only thing about a version that can change.

    The check of the version is deferred, so that a training file can be deleted in any order.
    """

    __tablename__ = "training_file_tags"
    __table_args__ = (
        ForeignKeyConstraint(
            ["training_file_id", "version"],
            ["training_file_versions.training_file_id", "training_file_versions.number"],
            name="fk_training_file_tags_version",
            deferrable=True,
            initially="DEFERRED",
        ),
    )

    training_file_id: Mapped[UUID] = mapped_column(
        ForeignKey("training_files.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    is_protected: Mapped[bool]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class ExportTable(OwnTable):
    """A file that was made from a version: written once, and gone with its version."""

    __tablename__ = "version_exports"
    __table_args__ = (
        ForeignKeyConstraint(
            ["training_file_id", "number"],
            ["training_file_versions.training_file_id", "training_file_versions.number"],
            name="fk_version_exports_version",
            ondelete="CASCADE",
        ),
        CheckConstraint(
            "format IN ('messages', 'prompt-completion', 'sharegpt', 'parquet')", name="format"
        ),
        CheckConstraint("split IN ('', 'train', 'validation')", name="split"),
    )

    training_file_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    format: Mapped[str] = mapped_column(primary_key=True)
    split: Mapped[str] = mapped_column(primary_key=True)
    """The side of a validation split; empty where the file holds all of the version."""
    options_digest: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    row_count: Mapped[int]
    target_count: Mapped[int]
    conversation_count: Mapped[int]
    summary: Mapped[dict[str, Any]]
    """`domain.exports.summary.ExportSummary` of the whole version."""
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class ReleasedVersionTable(OwnTable):
    """Versions whose objects may be removed; the versions' own rows never change."""

    __tablename__ = "released_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["training_file_id", "number"],
            ["training_file_versions.training_file_id", "training_file_versions.number"],
            name="fk_released_versions_version",
        ),
    )

    training_file_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    released_at: Mapped[datetime]
    reason: Mapped[str]


class LogTable(OwnTable):
    """What was done to training files, and what was refused; a trigger keeps it append-only.

    There is no foreign key: a request can be refused for a file that does not exist.
    """

    __tablename__ = "training_file_log"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'refused')", name="outcome"),
        Index("ix_training_file_log_training_file_id_id", "training_file_id", "id"),
        Index("ix_training_file_log_name_key_id", "name_key", "id"),
        Index(
            "uq_training_file_log_refusal",
            "request_id",
            "refusal_digest",
            unique=True,
            postgresql_where=text("refusal_digest IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    training_file_id: Mapped[UUID | None]
    file_name: Mapped[str]
    name_key: Mapped[str]
    action: Mapped[str]
    outcome: Mapped[str]
    actor: Mapped[str]
    comment: Mapped[str]
    version: Mapped[int | None]
    request_id: Mapped[str | None]
    run_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    refusal_digest: Mapped[str | None]
    """A retried request that is refused for the same reasons is recorded once."""


class PlanTable(OwnTable):
    """A plan of adds: which conversations, fixed when it was made; a row never changes.

    Its parts are requests. The versions that they made say how far it is.
    """

    __tablename__ = "add_plans"

    id: Mapped[str] = mapped_column(primary_key=True)
    training_file: Mapped[str]
    training_file_id: Mapped[UUID | None]
    """None where the plan creates the training file."""
    conditions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_new: Mapped[bool]
    description: Mapped[str]
    strict: Mapped[bool]
    one_version: Mapped[bool]
    requested_by: Mapped[str]
    matched: Mapped[int]
    in_file: Mapped[int]
    conversation_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    created_at: Mapped[datetime]


class InstallationTable(OwnTable):
    """One row, which tells this installation from all others, whatever their databases share."""

    __tablename__ = "installation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


class ApiTokenTable(OwnTable):
    """Tokens of the HTTP API. Revoked ones stay, so that their names on versions are explained."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index(
            "uq_api_tokens_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    """Part of the token's text, and no secret."""
    name: Mapped[str]
    secret_sha256: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SideTable(OwnTable):
    """Sides of a validation split: inserted once, so that nobody changes sides."""

    __tablename__ = "training_file_sides"
    __table_args__ = (CheckConstraint("side IN ('train', 'validation')", name="side"),)

    training_file_id: Mapped[UUID] = mapped_column(
        ForeignKey("training_files.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    side: Mapped[str]
    assigned_in: Mapped[int]
    """The number of the version that was split."""
    fraction: Mapped[str]
    """As it was asked for, exactly: 1/10."""


class LikenessTable(OwnTable):
    """What near-duplicates are found by (`domain.exports.likeness`), for each fragment's digest."""

    __tablename__ = "conversation_likenesses"

    json_sha256: Mapped[str] = mapped_column(primary_key=True)
    shingles: Mapped[bytes]
    answers: Mapped[bytes]


class FiguresTable(OwnTable):
    """Figures of a fitness report, for each fragment's digest and revision of the rules."""

    __tablename__ = "conversation_figures"

    json_sha256: Mapped[str] = mapped_column(primary_key=True)
    rules: Mapped[str] = mapped_column(primary_key=True)
    figures: Mapped[dict[str, Any]]


class ConversationTable(SourceTable):
    __tablename__ = "conversations"

    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    enrichment_status: Mapped[str | None] = mapped_column(server_default="not_started")
    enriched_file_path: Mapped[str | None]
    persona_key: Mapped[str | None]
    emotional_arc_key: Mapped[str | None]
    topic_key: Mapped[str | None]
    scaffolding_snapshot: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    quality_score: Mapped[Decimal | None]
    tier: Mapped[str | None]
    status: Mapped[str | None]
    created_by: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=func.now())


class BatchJobTable(SourceTable):
    __tablename__ = "batch_jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str | None]


class BatchItemTable(SourceTable):
    __tablename__ = "batch_items"

    batch_job_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)


def own_metadata(schema: str | None) -> MetaData:
    """Return the metadata of the own tables with another schema, or without one."""
    metadata = MetaData(naming_convention=NAMING, schema=schema)
    for table in OwnTable.metadata.sorted_tables:
        table.to_metadata(metadata, schema=schema)  # type: ignore[arg-type] # None: no schema
    return metadata


def quoted(name: str) -> str:
    """Return a name of a schema or role as SQL needs it."""
    return str(_quote(name))
