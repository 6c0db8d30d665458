"""`maintain`: find and remove objects that no version needs."""

from typing import Annotated

import typer

from domain.counting import counted
from operations import resources
from operations.sweep import Swept, foreign_objects, sweep_store
from trainfold.cli.output import Json, print_table, show, stdout
from trainfold.cli.ready import ready


def maintain(
    delete: Annotated[
        bool, typer.Option("--delete/--dry-run", help="Remove the objects, or only list them.")
    ] = False,
    json: Json = False,
) -> None:
    """Find trainfold's stored objects that no version needs; --delete removes them.

    Crashed requests leave such objects, and so do training files that were deleted longer ago than
    the grace time, and versions that `keep` does not keep: these are released first. Objects
    younger than the safe age (a day) are kept, because a running request could still commit them.
    Figures and hashes of conversations that are in no version any more are removed, too.
    Objects that are not trainfold's are counted and never touched.
    """
    ready("database", "s3")
    swept = sweep_store(
        resources.engine(),
        resources.training_files_store(),
        safe_age=resources.settings().garbage_safe_age,
        grace=resources.settings().deleted_file_grace,
        delete=delete,
    )
    show(swept.model_dump(mode="json"), lambda: _print(swept))


def _print(swept: Swept) -> None:
    if swept.released:
        rows = ((it.training_file, it.version, f"{it.size_bytes:,}") for it in swept.released)
        print_table(["released of", "#version", "#bytes"], rows, empty="")
    if swept.objects:
        print_table(["object that no version needs"], ([key] for key in swept.objects), empty="")
    what = "Removed" if swept.removed else "Found"
    text = f"{what} {counted(len(swept.objects), 'object')}, {swept.size_bytes:,} bytes"
    if swept.uploads:
        text += f", and {counted(swept.uploads, 'unfinished upload')}"
    if swept.released:
        number = "is" if len(swept.released) == 1 else "are"
        verb = number if swept.removed else "would be"
        text += f"; {counted(len(swept.released), 'version')} {verb} released"
    stdout.print(text)
    if swept.figures:
        stdout.print(
            f"{what} figures of {counted(swept.figures, 'conversation')} that no version holds"
        )
    if swept.foreign_count:
        stdout.print(foreign_objects(swept.foreign_count))
    if (swept.objects or swept.uploads or swept.released or swept.figures) and not swept.removed:
        stdout.print("Nothing was removed; repeat with --delete to remove them.")
