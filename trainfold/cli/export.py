"""`export`, `exports`: a version in the shapes that trainers read."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from db.engine import reading
from db.exports import stored_exports
from db.versions import find_stored_version, find_version
from domain.counting import counted
from domain.documents import export_document, stored_exports_document
from domain.exports import EXPORT_FORMATS, SIDES, ExportFormat, Side
from domain.exports.splits import exact_fraction
from domain.exports.stored import StoredExport
from domain.exports.summary import ExportSummary
from domain.findings import shortened
from domain.versions.file_names import export_name
from domain.versions.record import VersionRecord
from operations import resources
from operations.export import write_folder_notes
from operations.export_reading import proven_export
from operations.hub import is_repository, push_folder, require_hub
from operations.splits import assigned_sides
from operations.stored_exports import ensure_exports, possible_formats, summary_of
from trainfold.cli.atomic import inside, require_writable, whole_file, whole_folder
from trainfold.cli.downloads import Force, Number
from trainfold.cli.fitness import compute_with_progress
from trainfold.cli.output import Json, print_table, say, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import File
from trainfold.cli.user import current_user


class ExportChoice(StrEnum):
    MESSAGES = "messages"
    PROMPT_COMPLETION = "prompt-completion"
    SHAREGPT = "sharegpt"
    PARQUET = "parquet"


def export(
    file: File,
    version: Number = None,
    format: Annotated[
        ExportChoice | None, typer.Option("--format", help="The shape of a line, or Parquet.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Where to; - is standard output.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="A new folder with all formats and settings."),
    ] = None,
    push_to_hub: Annotated[
        str | None,
        typer.Option("--push-to-hub", metavar="REPO", help="A dataset on the Hugging Face hub."),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Only members may see the dataset on the hub.")
    ] = False,
    validation: Annotated[
        float | None,
        typer.Option(
            "--validation", metavar="SHARE", help="Share of answers that only validate, as in 0.1."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make stored exports anew; repairs damage.")
    ] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Export the approved answers of a version for TRL, LLaMA-Factory, axolotl or OpenAI.

    Every target is in an export once, with the conversation before it. A last turn of the client's
    that nobody answered is cut off; conversations that are no chat are refused by name. An export
    is made once, stored beside its version, and downloaded from there. Sides of --validation are
    stored as well: a conversation never changes its side.
    """
    if sum(place is not None for place in (format, to, push_to_hub)) != 1:
        raise typer.BadParameter(
            "give either --format, for one file, or --to, for a folder, or --push-to-hub."
        )
    if json and output == "-":
        raise typer.BadParameter("standard output is either the export or the JSON document.")
    if validation is not None and format not in (None, ExportChoice.PARQUET) and _is_file(output):
        raise typer.BadParameter("with --validation there are two files: name a folder with -o.")
    share = _share(validation)
    if push_to_hub is not None:
        _require_hub(push_to_hub)
    ready("database", "s3")
    with reading(resources.engine()) as connection:
        record = find_stored_version(connection, file, version)
    options = _Options(_sides(record, share), again=again)
    document: dict[str, Any] = {}
    if to is not None:
        with whole_folder(to) as folder:
            made = _fill(folder, record, options)
        say(f"Wrote {to}: all formats, a dataset card, settings for trainers, checksums")
    elif push_to_hub is not None:
        made, document["url"] = _push(record, push_to_hub, options, private=private)
    elif format is not None:
        made = _make(record, [format.value], options)
        _save(made, output, force=force)
    if output != "-":
        document |= export_document(record, made.summary, made.exports)
        show(document, lambda: _print(made.summary))


def exports(file: File, version: Number = None, json: Json = False) -> None:
    """List the stored exports of a version."""
    ready("database", "s3")
    with reading(resources.engine()) as connection:
        record = find_version(connection, file, version)
        stored = stored_exports(connection, record)
    show(stored_exports_document(record, stored), lambda: _print_stored(record, stored))


@dataclass(frozen=True, slots=True)
class _Options:
    sides: Mapping[UUID, Side] | None
    again: bool


@dataclass(frozen=True, slots=True)
class _Made:
    version: VersionRecord
    exports: list[StoredExport]

    @property
    def summary(self) -> ExportSummary:
        return summary_of(self.exports)


def _is_file(output: str | None) -> bool:
    return output is not None and not Path(output).is_dir()


def _share(validation: float | None) -> Fraction | None:
    try:
        return None if validation is None else exact_fraction(validation)
    except ValueError as error:
        raise typer.BadParameter(f"{error} Nothing was written.") from error


def _sides(version: VersionRecord, share: Fraction | None) -> Mapping[UUID, Side] | None:
    if share is None:
        return None
    engine, store = resources.engine(), resources.training_files_store()
    sides = assigned_sides(engine, store, version, validation=share)
    for side in SIDES:
        if sides and side not in sides.values():
            say(f"No conversation is on the side {side}: what is alike stays on one side.")
    return sides


def _make(version: VersionRecord, formats: Sequence[ExportFormat], options: _Options) -> _Made:
    stored = ensure_exports(
        resources.engine(),
        resources.training_files_store(),
        version,
        formats,
        created_by=current_user(),
        sides=options.sides,
        again=options.again,
    )
    return _Made(version, stored)


def _fill(folder: Path, version: VersionRecord, options: _Options) -> _Made:
    """Write all formats, the report, the card, the settings, the checksums into an empty folder."""
    formats = possible_formats()
    made = _make(version, formats, options)
    for stored in made.exports:
        with (folder / stored.part.file_name).open("wb") as file:
            file.writelines(_contents(made, stored))
    report = compute_with_progress(version)
    from operations.fitness_page import render_html  # noqa: PLC0415 - imports Jinja

    (folder / "fitness.html").write_bytes(render_html(report))
    write_folder_notes(version, made.summary, folder)
    if len(formats) < len(EXPORT_FORMATS):
        say("Without examples.parquet, which needs `pip install 'trainfold[exports]'`.")
    return made


def _require_hub(repository: str) -> None:
    if not is_repository(repository):
        raise typer.BadParameter(
            f"{shortened(repository)} is no name of a dataset, as in owner/name. "
            "Nothing was written."
        )
    require_hub()


def _push(
    version: VersionRecord, repository: str, options: _Options, *, private: bool
) -> tuple[_Made, str]:
    with tempfile.TemporaryDirectory(prefix="trainfold-hub-") as name:
        made = _fill(folder := Path(name), version, options)
        message = f"{version.training_file}, version {version.number}"
        url = push_folder(folder, repository, private=private, message=message)
    say(f"Uploaded to {url}")
    return made, url


def _save(made: _Made, output: str | None, *, force: bool) -> None:
    if output == "-":
        for stored in made.exports:
            _print_content(made, stored)
        return
    names = [export_name(made.version, stored.download_name) for stored in made.exports]
    paths = [inside(Path(output or "."), name) for name in names]
    for path in paths:
        require_writable(path, force=force)
    for stored, path in zip(made.exports, paths, strict=True):
        with whole_file(path, force=force) as opened:
            opened.writelines(_contents(made, stored))
        say(f"Wrote {path} ({stored.size_bytes:,} bytes)")


def _print_content(made: _Made, stored: StoredExport) -> None:
    # Damage shows at the last byte, and must not have left others behind.
    with tempfile.TemporaryFile() as file:
        file.writelines(_contents(made, stored))
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout.buffer)


def _contents(made: _Made, stored: StoredExport) -> Iterator[bytes]:
    engine, store = resources.engine(), resources.training_files_store()
    return proven_export(engine, store, made.version, stored)


def _print(summary: ExportSummary) -> None:
    text = (
        f"{counted(summary.targets, 'approved answer')} in "
        f"{counted(summary.conversations, 'conversation')}."
    )
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


def _print_stored(version: VersionRecord, stored: Sequence[StoredExport]) -> None:
    print_table(
        ["file", "#rows", "#answers", "#conversations", "#bytes", "sha256", "made", "by"],
        (
            (
                export.download_name,
                export.row_count,
                export.target_count,
                export.conversation_count,
                f"{export.size_bytes:,}",
                export.sha256,
                f"{export.created_at:%Y-%m-%d %H:%M:%S}",
                export.created_by,
            )
            for export in stored
        ),
        empty=f"Version {version.number} of “{version.training_file}” has no stored export. "
        "`trainfold export FILE --format messages` makes one.",
    )
