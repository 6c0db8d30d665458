"""`import`: import conversation files."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from operations import resources
from operations.batches import batch_name_problem
from operations.importing import Importer, ImportResult
from trainfold.cli.exits import Exit
from trainfold.cli.output import Json, print_table, say, show, stderr, stdout
from trainfold.cli.ready import ready
from trainfold.cli.user import current_user


def import_files(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            exists=True,
            help="Individual conversation files, full training files, or folders of them.",
        ),
    ],
    batch: Annotated[
        str | None,
        typer.Option(help="Add them to the batch of this name, which is created if needed."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Replace conversations that have changed.")
    ] = False,
    json: Json = False,
) -> None:
    """Import conversation files: check them, upload them, insert rows and batch links.

    A full training file is split back into its conversations. Refused conversations are listed
    with their reasons, and the others are imported.
    """
    if batch is not None and (problem := batch_name_problem(batch)):
        raise typer.BadParameter(f"{problem}. Nothing was imported.")
    ready("database", "s3")
    importer = Importer(
        engine=resources.engine(),
        store=resources.conversations_store(),
        limits=resources.settings().limits,
        imported_by=current_user(),
        update=update,
    )
    with Progress(console=stderr, transient=True) as bar:
        uploads = bar.add_task("Uploading", total=None)
        outcome = importer.run(
            paths,
            batch_name=batch,
            progress=lambda done, total: bar.update(uploads, completed=done, total=total),
        )
    show(_document(outcome), lambda: _print(outcome))
    if outcome.refused:
        written = outcome.imported or outcome.updated
        raise typer.Exit(Exit.OTHER if written else Exit.BLOCKED)


def _document(outcome: ImportResult) -> dict[str, Any]:
    return {
        "batch": outcome.batch.model_dump(mode="json") if outcome.batch else None,
        "imported": [str(id) for id in outcome.imported],
        "updated": [str(id) for id in outcome.updated],
        "unchanged": [str(id) for id in outcome.unchanged],
        "refused": [{"file": r.file} | r.reason.model_dump() for r in outcome.refused],
    }


def _print(outcome: ImportResult) -> None:
    if outcome.refused:
        rows = [
            (r.file, r.reason.conversation_id, r.reason.code, r.reason.reason, r.reason.path)
            for r in outcome.refused
        ]
        print_table(["refused file", "conversation", "code", "reason", "path"], rows, empty="")
        stdout.print()
    refused = len({(r.file, r.reason.conversation_id) for r in outcome.refused})
    stdout.print(
        f"{len(outcome.imported)} imported, {len(outcome.updated)} updated, "
        f"{len(outcome.unchanged)} unchanged (identical content), {refused} refused"
    )
    if not (outcome.imported or outcome.updated or outcome.unchanged or outcome.refused):
        say("The folders hold no JSON file. Conversation files end in .json.")
    if outcome.batch:
        linked = sum(map(len, (outcome.imported, outcome.updated, outcome.unchanged)))
        say(
            f"Batch “{outcome.batch.name}” has the Batch ID {outcome.batch.id}; "
            f"{linked} of these are in it"
        )
