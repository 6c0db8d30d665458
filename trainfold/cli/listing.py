"""`conversations`, `files`, `show`, `versions`: list and describe."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from db import versions as database
from db.conversation_list import ConversationRow, list_conversations
from db.engine import reading
from db.training_files import TrainingFileRow, training_file_rows
from db.versions import find_version, member_ids
from db.visibility import hidden_rows
from domain.documents import version_document
from domain.statistics import scaffolding_distribution
from domain.versions.record import Tag, VersionRecord
from operations import resources
from operations.documents import (
    conversation_document,
    training_file_document,
    training_file_members_document,
)
from trainfold.cli.filtering import (
    ArcFilter,
    BatchFilter,
    CreatedFrom,
    CreatedUntil,
    NotIn,
    PersonaFilter,
    QualityMax,
    QualityMin,
    StatusFilter,
    TierFilter,
    TopicFilter,
    filters_of,
)
from trainfold.cli.output import Json, print_table, say, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import File


class Sort(StrEnum):
    BATCH = "batch"
    CREATED = "created"
    QUALITY = "quality"


def conversations(
    batch: BatchFilter = None,
    status: StatusFilter = None,
    persona: PersonaFilter = None,
    arc: ArcFilter = None,
    topic: TopicFilter = None,
    tier: TierFilter = None,
    quality_min: QualityMin = None,
    quality_max: QualityMax = None,
    created_from: CreatedFrom = None,
    created_until: CreatedUntil = None,
    not_in: NotIn = None,
    sort: Annotated[Sort, typer.Option(help="Order.")] = Sort.CREATED,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows.")] = 50,
    json: Json = False,
) -> None:
    """List conversations with their batches and training files.

    All filters must hold; several batches are a union.
    """
    ready("database")
    with reading(resources.engine()) as connection:
        filters = filters_of(
            connection,
            batch=batch,
            status=status,
            persona=persona,
            arc=arc,
            topic=topic,
            tier=tier,
            quality_at_least=quality_min,
            quality_at_most=quality_max,
            created_from=created_from,
            created_until=created_until,
            not_in=not_in,
        )
        rows = list_conversations(connection, filters, sort=sort.value, limit=limit)
        hidden = None if rows else hidden_rows(connection)
    advice = "" if hidden else " `trainfold import PATH` imports conversation files."
    documents = [conversation_document(row) for row in rows]
    show(documents, lambda: _print_conversations(rows, advice))
    if hidden:
        say(hidden)


def files(json: Json = False) -> None:
    """List the training files."""
    ready("database")
    with reading(resources.engine()) as connection:
        rows = training_file_rows(connection)
    show([training_file_document(row) for row in rows], lambda: _print_files(rows))


def show_file(file: File, json: Json = False) -> None:
    """Show one training file: its current version, statistics and conversations."""
    ready("database")
    with reading(resources.engine()) as connection:
        version = find_version(connection, file)
        (row,) = training_file_rows(connection, file)
        ids = member_ids(connection, version)
    document = training_file_members_document(row, ids)
    show(document, lambda: _print_file(row, version, ids))


def versions(file: File, json: Json = False) -> None:
    """List the versions of a training file, newest first."""
    ready("database")
    with reading(resources.engine()) as connection:
        records = database.versions(connection, file)
    show([version_document(record) for record in records], lambda: _print_versions(records))


def _print_conversations(rows: list[ConversationRow], advice: str) -> None:
    print_table(
        ["conversation", "persona, arc, topic", "#quality", "tier", "status", "batch", "in"],
        (
            (
                row.conversation_id,
                ", ".join(filter(None, (row.persona_key, row.emotional_arc_key, row.topic_key))),
                None if row.quality_score is None else f"{row.quality_score:.2f}",
                row.tier,
                row.enrichment_status,
                ", ".join(batch.name or str(batch.id) for batch in row.batches),
                ", ".join(file.name for file in row.training_files),
            )
            for row in rows
        ),
        empty=f"No conversation matches.{advice}",
    )


def _print_files(rows: list[TrainingFileRow]) -> None:
    print_table(
        ["training file", "#version", "#conversations", "#pairs", "#examples", "#avg quality",
         "#bytes of all versions", "updated", "status", "description"],
        (
            (
                row.name,
                row.current_version,
                row.conversation_count,
                row.pair_count,
                row.example_count,
                f"{row.statistics.quality_mean:.2f}",
                f"{row.stored_size_bytes:,}",
                f"{row.updated_at:%Y-%m-%d %H:%M}",
                row.status,
                row.description,
            )
            for row in rows
        ),
        empty="There is no training file yet. "
        "`trainfold add NAME --new --batch BATCH` creates one.",
    )  # fmt: skip


def _print_file(row: TrainingFileRow, version: VersionRecord, ids: Sequence[UUID]) -> None:

    _print_files([row])
    for kind, counts in scaffolding_distribution(version.statistics).items():
        stdout.print()
        print_table([kind, "#conversations"], counts.items(), empty="")
    stdout.print()
    print_table(["conversations, in order"], ([id] for id in ids), empty="")


def _print_versions(versions: list[VersionRecord]) -> None:
    extra: dict[str, Callable[[VersionRecord], str]] = {}
    if any(version.file_name != version.training_file for version in versions):
        extra["made as"] = lambda version: version.file_name
    if any(version.released_at for version in versions):
        extra["released"] = lambda it: f"{it.released_at:%Y-%m-%d}" if it.released_at else ""
    print_table(
        ["#version", "made", "by", "why", "tags", "#conversations", "#pairs", "#examples",
         "#warnings", "#JSON bytes", "#JSONL bytes", *extra],
        (
            (
                version.number,
                f"{version.created_at:%Y-%m-%d %H:%M:%S}",
                version.created_by,
                _why(version),
                ", ".join(map(_tag, version.tags)),
                version.conversation_count,
                version.pair_count,
                version.example_count,
                len(version.warnings),
                f"{version.full.size_bytes:,}",
                f"{version.lines.size_bytes:,}",
                *(cell(version) for cell in extra.values()),
            )
            for version in versions
        ),
        empty="",
    )  # fmt: skip


def _why(version: VersionRecord) -> str:
    why = version.reason if version.restores is None else f"{version.reason} to {version.restores}"
    # On one line, as it is in a table.
    return f"{why}: {' '.join(version.comment.split())}" if version.comment else why


def _tag(tag: Tag) -> str:
    return f"{tag.name} (protected)" if tag.is_protected else tag.name
