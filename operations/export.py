"""Write a version's approved answers in the shapes that trainers read."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import orjson
from sqlalchemy import Engine

from domain.errors import Blocked
from domain.exports import EXPORT_FORMATS, ExportFormat
from domain.exports.chat import NotAChat, read_chat
from domain.exports.folder import FILE_NAMES, dataset_card, dataset_info, training_settings
from domain.exports.lines import export_lines
from domain.exports.summary import ExportSummary
from domain.findings import Reason
from domain.versions.record import VersionRecord
from operations.verify import verified_sections
from storage.store import ObjectStore

MAX_REASONS = 100


def write_exports(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    files: Mapping[ExportFormat, BinaryIO],
) -> ExportSummary:
    """Write one or several formats in one pass; memory holds one conversation.

    Raises Damaged before a conversation that is not what the version records, and Blocked with the
    reasons of all conversations that are no chat. The files are incomplete then.
    """
    summary = ExportSummary()
    reasons: list[Reason] = []
    for section, data in verified_sections(engine, store, version, "json"):
        if not section.is_conversation:
            continue
        try:
            chat = read_chat(orjson.loads(data))
        except NotAChat as error:
            reasons.extend(error.reasons[: MAX_REASONS - len(reasons)])
            continue
        summary.count(chat)
        for format, file in files.items():
            file.writelines(export_lines(chat, format))
    if reasons:
        raise Blocked(reasons)
    return summary


def write_dataset_folder(
    engine: Engine, store: ObjectStore, version: VersionRecord, folder: Path
) -> ExportSummary:
    """Fill an empty folder with all formats, a dataset card, settings and checksums."""
    opened = {format: (folder / FILE_NAMES[format]).open("wb") for format in EXPORT_FORMATS}
    try:
        summary = write_exports(engine, store, version, opened)
    finally:
        for file in opened.values():
            file.close()
    (folder / "dataset_info.json").write_bytes(dataset_info())
    (folder / "TRAINING.md").write_bytes(training_settings(summary))
    (folder / "README.md").write_bytes(dataset_card(version, summary))
    sums = [f"{_sha256_of(file)}  {file.name}\n" for file in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    return summary


def _sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
