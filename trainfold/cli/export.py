"""`export`: a version in the shapes that trainers read."""

import shutil
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from db.engine import reading
from db.versions import find_stored_version
from domain.documents import export_document
from domain.exports import ExportFormat
from domain.exports.summary import ExportSummary
from domain.versions.naming import export_name
from domain.versions.record import VersionRecord
from operations import resources
from operations.export import write_dataset_folder, write_exports
from trainfold.cli.atomic import whole_file, whole_folder
from trainfold.cli.downloads import Number
from trainfold.cli.output import Json, say, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import File


class ExportChoice(StrEnum):
    MESSAGES = "messages"
    PROMPT_COMPLETION = "prompt-completion"
    SHAREGPT = "sharegpt"


def export(
    file: File,
    version: Number = None,
    format: Annotated[
        ExportChoice | None, typer.Option("--format", help="The shape of a line.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Where to; - is standard output.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="A new folder with all formats and settings."),
    ] = None,
    json: Json = False,
) -> None:
    """Export the approved answers of a version for TRL, LLaMA-Factory, axolotl or OpenAI.

    Every target is in an export once, with the conversation before it. A last turn of the client's
    that nobody answered is cut off; conversations that are no chat are refused by name.
    """
    if (format is None) == (to is None):
        raise typer.BadParameter("give either --format, for one file, or --to, for a folder.")
    if json and output == "-":
        raise typer.BadParameter("standard output is either the export or the JSON document.")
    ready("database", "s3")
    with reading(resources.engine()) as connection:
        record = find_stored_version(connection, file, version)
    if to is not None:
        summary = _export_folder(record, to)
    elif format is not None:
        summary = _export_file(record, format.value, output)
    if output != "-":
        show(export_document(record, summary), lambda: _print(summary))


def _export_folder(version: VersionRecord, to: Path) -> ExportSummary:
    with whole_folder(to) as folder:
        summary = write_dataset_folder(
            resources.engine(), resources.training_files_store(), version, folder
        )
    say(f"Wrote {to}: all formats, a dataset card, settings for trainers, checksums")
    return summary


def _export_file(version: VersionRecord, format: ExportFormat, output: str | None) -> ExportSummary:
    if output == "-":
        # What is refused at its last conversation must not have left lines behind.
        with tempfile.TemporaryFile() as file:
            summary = _write(version, format, file)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
        return summary
    path = Path(output or ".")
    if path.is_dir():
        path /= export_name(version.file_name, version.number, format)
    with whole_file(path) as file:
        summary = _write(version, format, file)
    say(f"Wrote {path} ({path.stat().st_size:,} bytes)")
    return summary


def _write(version: VersionRecord, format: ExportFormat, file: BinaryIO) -> ExportSummary:
    engine, store = resources.engine(), resources.training_files_store()
    return write_exports(engine, store, version, {format: file})


def _print(summary: ExportSummary) -> None:
    text = f"{summary.targets} approved answers in {summary.conversations} conversations."
    if summary.unanswered:
        text += f" In {len(summary.unanswered)} a last turn that nobody answered was cut off."
    if summary.without_target:
        names = ", ".join(summary.without_target)
        text += f" Left out, as they have no answer: {names}."
    stdout.print(text, markup=False, highlight=False)
    stdout.print(
        f"Give your trainer at least {summary.max_length} tokens, or it cuts conversations off.",
        highlight=False,
    )
