"""`batch`: rename a batch, or take conversations out of one."""

from typing import Annotated
from uuid import UUID

import typer

from domain.counting import counted
from operations import resources
from operations.batches import rename_batch
from operations.batches import unlink as unlink_conversations
from trainfold.cli.output import Json, show, stdout
from trainfold.cli.ready import ready

app = typer.Typer(
    help="Rename a batch that was imported, or take conversations out of it.",
    no_args_is_help=True,
    add_completion=False,
)
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="The batch's id or name.")]


@app.command()
def rename(
    batch: BatchArgument,
    name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    json: Json = False,
) -> None:
    """Give a batch another name. Batches of an application are renamed there.

    Example: trainfold batch rename monday "First Monday"
    """
    ready("database")
    renamed = rename_batch(resources.engine(), batch, name)
    text = f"Batch {renamed.id} is “{renamed.name}” now."
    show(renamed.model_dump(mode="json"), lambda: stdout.print(text))


@app.command()
def unlink(
    batch: BatchArgument,
    ids: Annotated[list[UUID], typer.Argument(metavar="ID...", help="Conversation ids.")],
    json: Json = False,
) -> None:
    """Take conversations out of a batch; they stay imported, and in their training files.

    Example: trainfold batch unlink monday 3c045402-b8f1-4633-ba1e-6ffb0666dbed
    """
    ready("database")
    found, taken = unlink_conversations(resources.engine(), batch, ids)
    document = {"batch": found.model_dump(mode="json"), "unlinked": [str(id) for id in taken]}
    text = f"{counted(len(taken), 'conversation')} taken out of “{found.name or found.id}”."
    show(document, lambda: stdout.print(text))
