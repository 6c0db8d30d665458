"""`download`, `url`, `verify`: read a version's two objects."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from db.engine import reading
from db.versions import find_stored_version
from domain.counting import counted
from domain.documents import link_document, version_document
from domain.format import Format
from domain.versions.file_names import download_name
from domain.versions.record import VersionRecord
from operations import resources
from operations.verify import verified_content, verify_version
from trainfold.cli.atomic import inside, whole_file
from trainfold.cli.output import Json, say, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import File, checked_version


class FormatChoice(StrEnum):
    JSON = "json"
    JSONL = "jsonl"


FormatOption = Annotated[FormatChoice, typer.Option("--format", help="Full JSON, or JSONL.")]
Number = Annotated[
    str | None,
    typer.Option(
        "--version", metavar="N|TAG", help="Default: the current one.", callback=checked_version
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists already.")]


def download(
    file: File,
    format: FormatOption,
    version: Number = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="File or folder; - is standard output.")
    ] = None,
    force: Force = False,
) -> None:
    """Download a version, checking every conversation's digest."""
    record = _find(file, version)
    if output == "-":
        for chunk in _contents(record, format.value):
            sys.stdout.buffer.write(chunk)
    else:
        save(record, format.value, Path(output or "."), force=force)


def url(
    file: File,
    format: FormatOption,
    version: Number = None,
    minutes: Annotated[
        int | None, typer.Option(min=1, max=7 * 24 * 60, help="Lifetime of the link.")
    ] = None,
    json: Json = False,
) -> None:
    """Print a temporary download link to a version, which needs no password."""
    record = _find(file, version)
    configured = resources.settings().download_link_lifetime
    lifetime = timedelta(minutes=minutes) if minutes else configured
    link = resources.training_files_store().download_link(
        record.stored(format.value).key,
        file_name=download_name(record, format.value),
        lifetime=lifetime,
    )
    document = link_document(link, lifetime)
    show(document, lambda: stdout.print(link, markup=False, highlight=False))


def verify(file: File, version: Number = None, json: Json = False) -> None:
    """Read the stored objects back; check digests, counts, order, and that JSON and JSONL agree."""
    ready("database", "s3")
    sound = verify_version(resources.engine(), resources.training_files_store(), file, version)
    document = {"sound": True} | version_document(sound)
    text = (
        f"Version {sound.number} of “{sound.training_file}” is sound: "
        f"{counted(sound.conversation_count, 'conversation')}, "
        f"{counted(sound.pair_count, 'pair')}, {counted(sound.example_count, 'example')}; "
        "JSON and JSONL agree."
    )
    show(document, lambda: stdout.print(text))


def _find(file: str, version: str | None) -> VersionRecord:
    ready("database", "s3")
    with reading(resources.engine()) as connection:
        return find_stored_version(connection, file, version)


def save(version: VersionRecord, format: Format, path: Path, *, force: bool) -> Path:
    """Download to a file, or into a folder under the version's own file name.

    Raises OutputRefused; a file that exists is replaced only with `force`.
    """
    path = inside(path, download_name(version, format))
    with whole_file(path, force=force) as file:
        file.writelines(_contents(version, format))
    say(f"Wrote {path} ({version.stored(format).size_bytes:,} bytes)")
    return path


def _contents(version: VersionRecord, format: Format) -> Iterator[bytes]:
    engine, store = resources.engine(), resources.training_files_store()
    return verified_content(engine, store, version, format)
