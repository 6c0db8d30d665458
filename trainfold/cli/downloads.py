"""`download`, `url`, `verify`: a version's two objects."""

import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from db.engine import reading
from db.versions import find_version
from domain.documents import version_document
from domain.format import Format
from domain.versions.naming import download_name
from domain.versions.record import VersionRecord
from operations import resources
from operations.verify import verified_content, verify_version
from trainfold.cli.output import Json, say, show, stdout
from trainfold.cli.ready import ready


class FormatChoice(StrEnum):
    JSON = "json"
    JSONL = "jsonl"


File = Annotated[str, typer.Argument(metavar="FILE", help="Name of the training file.")]
FormatOption = Annotated[FormatChoice, typer.Option("--format", help="Full JSON, or JSONL.")]
Number = Annotated[int | None, typer.Option("--version", min=1, help="Default: the current one.")]


def download(
    file: File,
    format: FormatOption,
    version: Number = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Where to; - is standard output.")
    ] = None,
) -> None:
    """Download a version, checking every conversation's digest on the way."""
    found = _find(file, version)
    if output == "-":
        for piece in _contents(found, format.value):
            sys.stdout.buffer.write(piece)
    else:
        save(found, format.value, Path(output or "."))


def url(
    file: File,
    format: FormatOption,
    version: Number = None,
    minutes: Annotated[
        int | None, typer.Option(min=1, max=7 * 24 * 60, help="How long the link works.")
    ] = None,
    json: Json = False,
) -> None:
    """Print a link to a version that works for a while, without a password."""
    found = _find(file, version)
    configured = resources.settings().download_link_lifetime
    lifetime = timedelta(minutes=minutes) if minutes else configured
    link = resources.training_files_store().download_link(
        found.stored(format.value).key,
        file_name=download_name(found.training_file, found.number, format.value),
        lifetime=lifetime,
    )
    document = {"url": link, "expires_in_seconds": int(lifetime.total_seconds())}
    show(document, lambda: stdout.print(link, markup=False, highlight=False))


def verify(file: File, version: Number = None, json: Json = False) -> None:
    """Read the stored objects back: digests, counts, order, and that JSON and JSONL agree."""
    ready("database", "s3")
    sound = verify_version(resources.engine(), resources.training_files_store(), file, version)
    document = {"sound": True} | version_document(sound)
    text = (
        f"Version {sound.number} of “{sound.training_file}” is sound: "
        f"{sound.conversation_count} conversations, {sound.pair_count} pairs, "
        f"{sound.example_count} examples; JSON and JSONL agree."
    )
    show(document, lambda: stdout.print(text, markup=False, highlight=False))


def _find(file: str, number: int | None) -> "VersionRecord":

    ready("database", "s3")
    with reading(resources.engine()) as connection:
        return find_version(connection, file, number)


def save(version: "VersionRecord", format: "Format", path: Path) -> Path:
    """Download to a file, or into a folder under the version's own file name.

    Written beside the target and moved there when all is well: never half a file.
    """
    if path.is_dir():
        path /= download_name(version.training_file, version.number, format)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            for piece in _contents(version, format):
                out.write(piece)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    say(f"Wrote {path} ({version.stored(format).size_bytes:,} bytes)")
    return path


def _contents(version: VersionRecord, format: Format) -> Iterator[bytes]:
    engine, store = resources.engine(), resources.training_files_store()
    return verified_content(engine, store, version, format)
