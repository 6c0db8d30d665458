"""`demo`: import the bundled samples and fold them, in a home directory of its own."""

import os
import shutil
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from uuid import uuid4

from db.engine import reading
from db.training_files import training_file_choices
from domain.format import FORMATS
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest
from operations import resources
from operations.importing import Importer
from operations.settings import SCHEMA_VARIABLES, home_directory, is_service_variable
from trainfold.cli.downloads import save
from trainfold.cli.output import print_table, say, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import ids_of_batch
from trainfold.cli.versions import run_add

BATCHES = ("spring-batch", "summer-batch")


def demo() -> None:
    """Import the sample conversations and fold them twice, in a home directory of its own."""
    home = _own_home()
    say(f"The demo keeps its data in {home}")

    ready("database", "s3", "prefect")
    name = _free_name()
    versions = [_fold(name, batch, new=number == 0) for number, batch in enumerate(BATCHES)]
    paths = [_save(version, home / "downloads") for version in versions]
    _print(versions, paths)
    _print_next(name, home)


def _own_home() -> Path:
    """Set a home for the demo alone, so that it never uses configured services."""
    for name in list(os.environ):
        if is_service_variable(name) or name in SCHEMA_VARIABLES:
            del os.environ[name]
    home = home_directory()
    own = home.with_name(f"{home.name}-demo")
    os.environ["TRAINFOLD_HOME"] = str(own)
    return own


def _free_name() -> str:
    with reading(resources.engine()) as connection:
        taken = {row.name for row in training_file_choices(connection)}
    return next(name for n in count(1) if (name := f"Demo {n}") not in taken)


def _fold(name: str, batch: str, *, new: bool) -> VersionRecord:
    """Import one batch of samples and fold it into the training file."""
    importer = Importer(
        engine=resources.engine(),
        store=resources.conversations_store(),
        limits=resources.settings().limits,
        imported_by="demo",
        update=False,
    )
    importer.run([_samples() / batch], batch_name=batch, progress=lambda *_: None)
    say(f"{'Creating' if new else 'Adding to'} “{name}” with {batch}")
    request = AddRequest(
        training_file=name,
        conversation_ids=tuple(ids_of_batch(batch)),
        new=new,
        description="The bundled sample conversations" if new else "",
        requested_by="demo",
        request_id=str(uuid4()),
    )
    return run_add(request)


def _samples() -> Path:
    """Return the samples' folder: in the root of a checkout, or in the installed package."""
    package = Path(__file__).parents[1]
    in_checkout = package.parent / "samples"
    return in_checkout if in_checkout.is_dir() else package / "samples"


def _save(version: VersionRecord, folder: Path) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    return save(version, "json", folder, force=True), save(version, "jsonl", folder, force=True)


def _print(versions: Sequence[VersionRecord], paths: Sequence[tuple[Path, Path]]) -> None:
    stdout.print()
    print_table(
        ["training file", "#version", "why", "#conversations", "#pairs", "#examples", "#warnings"],
        (
            (
                version.training_file,
                version.number,
                version.reason,
                version.conversation_count,
                version.pair_count,
                version.example_count,
                len(version.warnings),
            )
            for version in versions
        ),
        empty="",
    )
    for version, (full, lines) in zip(versions, paths, strict=True):
        stdout.print(f"\nVersion {version.number}")
        for format, path in zip(FORMATS, (full, lines), strict=True):
            stdout.print(f"  {path}")
            key = version.stored(format).key
            stdout.print(f"    in the store: {key}")


def _print_next(name: str, home: Path) -> None:
    command = "trainfold" if shutil.which("trainfold") else os.path.relpath(sys.argv[0])
    ui = (resources.settings().prefect_api_url or "").removesuffix("/api")
    stdout.print(f"""
Try next:
  export TRAINFOLD_HOME={home}
  {command} up     # also starts the web console, and prints its address
  {command} conversations --sort batch
  {command} versions "{name}"
  {command} verify "{name}"
  {command} check "{name}" --batch {BATCHES[1]}     # blocked: they are already in it
  {command} download "{name}" --format jsonl -o -

PostgreSQL, S3 and Prefect still run ({ui} shows the two flow runs;
it asks for what `{command} password` prints).
To stop them: TRAINFOLD_HOME={home} {command} down""")  # fmt: skip
