"""Write a version's approved answers in the shapes that trainers read, into a folder."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy import Engine

from db.engine import reading
from db.versions import members
from domain.errors import Blocked
from domain.exports import ExportFormat, ExportPart, LineFormat, Side, export_parts
from domain.exports.chat import Chat, NotAChat, read_chat
from domain.exports.folder import dataset_card, dataset_info, training_settings
from domain.exports.lines import export_lines
from domain.exports.rows import example_rows
from domain.exports.summary import ExportSummary
from domain.findings import Reason
from domain.versions.record import Member, VersionRecord
from operations.parquet import ParquetWriter
from operations.verify import verified_sections
from storage.store import ObjectStore

MAX_REASONS = 100


@dataclass(slots=True)
class ExportFile:
    """A written file, with what it holds; one without rows is not left in the folder."""

    part: ExportPart
    path: Path
    row_count: int = 0
    target_count: int = 0
    conversation_count: int = 0


@dataclass(frozen=True, slots=True)
class _Told:
    """A conversation of the version as a chat, with all that a row says about it."""

    chat: Chat
    value: Mapping[str, Any]
    member: Member
    side: Side | None


class _Writer(Protocol):
    def write(self, told: _Told) -> int:
        """Write a conversation; return the number of rows."""


def write_exports(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    folder: Path,
    formats: Collection[ExportFormat],
    *,
    sides: Mapping[UUID, Side] | None = None,
) -> tuple[ExportSummary, list[ExportFile]]:
    """Write the formats' files in one pass; memory holds one conversation, or a group of rows.

    `sides` tells the side of every conversation that has an answer. Raises Damaged before a
    conversation that is not what the version records, and Blocked with the reasons of all
    conversations that are no chat, or if nothing is left to learn. The files are incomplete then.
    """
    parts = export_parts(formats, sided=sides is not None)
    files = [ExportFile(part, folder / part.file_name) for part in parts]
    summary = ExportSummary()
    with ExitStack() as stack:
        writers = [_writer(file, stack) for file in files]
        for told in _chats(engine, store, version, sides):
            summary.count(told.chat)
            for file, writer in zip(files, writers, strict=True):
                if told.chat.turns and file.part.side in (None, told.side):
                    file.row_count += writer.write(told)
                    file.target_count += told.chat.targets
                    file.conversation_count += 1
    if not summary.targets:
        raise Blocked([_nothing_to_learn(version)])
    for file in files:
        if not file.row_count:
            file.path.unlink()
    return summary, [file for file in files if file.row_count]


def write_folder_notes(version: VersionRecord, summary: ExportSummary, folder: Path) -> None:
    """Add the card, the settings and the checksums to a folder of exports."""
    names = {file.name for file in folder.iterdir()}
    if any(name.startswith("sharegpt") for name in names):
        (folder / "dataset_info.json").write_bytes(dataset_info(names))
    sided = any(".train." in name or ".validation." in name for name in names)
    (folder / "TRAINING.md").write_bytes(training_settings(summary, sided=sided))
    (folder / "README.md").write_bytes(dataset_card(version, summary, names))
    sums = [f"{sha256_of(file)}  {file.name}\n" for file in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _chats(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    sides: Mapping[UUID, Side] | None,
) -> Iterator[_Told]:
    """Yield the version's chats in its order; raise Blocked at the end if one is none."""
    with reading(engine) as connection:
        by_id = {str(member.conversation_id): member for member in members(connection, version)}
    reasons: list[Reason] = []
    for section, data in verified_sections(engine, store, version, "json"):
        if not section.is_conversation:
            continue
        value = orjson.loads(data)
        try:
            chat = read_chat(value)
        except NotAChat as error:
            reasons.extend(error.reasons[: MAX_REASONS - len(reasons)])
            continue
        member = by_id[chat.conversation_id]
        yield _Told(chat, value, member, sides.get(member.conversation_id) if sides else None)
    if reasons:
        raise Blocked(reasons)


def _writer(file: ExportFile, stack: ExitStack) -> _Writer:
    opened = stack.enter_context(file.path.open("wb"))
    if file.part.format != "parquet":
        return _Lines(file.part.format, opened)
    writer = ParquetWriter(opened)
    stack.callback(writer.close)
    return _Rows(writer)


@dataclass(frozen=True, slots=True)
class _Lines:
    format: LineFormat
    file: Any

    def write(self, told: _Told) -> int:
        rows = 0
        for rows, line in enumerate(export_lines(told.chat, self.format), 1):  # noqa: B007
            self.file.write(line)
        return rows


@dataclass(frozen=True, slots=True)
class _Rows:
    writer: ParquetWriter

    def write(self, told: _Told) -> int:
        rows = example_rows(told.chat, told.value, told.member, side=told.side)
        return self.writer.write(rows)


def _nothing_to_learn(version: VersionRecord) -> Reason:
    text = f"Version {version.number} of “{version.training_file}” has no answer to learn."
    return Reason(code="no-target", reason=text)
