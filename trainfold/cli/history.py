"""`remove`, `rollback`, `tag`, `untag`: change what is current, and name versions.

None of them reads a source, so they need no Prefect.
"""

from typing import Annotated
from uuid import uuid4

import typer

from domain.documents import version_document
from domain.versions.record import VersionRecord
from domain.versions.requests import RemoveRequest, RollbackRequest
from operations import resources, tags
from operations.binding import require_bound
from operations.remove import remove as remove_conversations
from operations.rollback import roll_back
from trainfold.cli.output import Json, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import (
    BatchOption,
    File,
    IdArguments,
    IdsFromOption,
    checked_version,
    require_quoted_name,
    selected_ids,
)
from trainfold.cli.user import current_user
from trainfold.cli.versions import AskedBy, RequestId, show_version

VersionArgument = Annotated[
    str,
    typer.Argument(
        metavar="N|TAG", help="A version's number, or its tag.", callback=checked_version
    ),
]
TagArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the tag.")]


def remove(
    file: File,
    reason: Annotated[str, typer.Option("--reason", help="Why; the version records it.")],
    ids: IdArguments = None,
    batch: BatchOption = None,
    ids_from: IdsFromOption = None,
    request_id: RequestId = None,
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Make a version without these conversations; earlier versions keep them.

    If one of them cannot be removed, nothing is written.
    """
    ready("database", "s3")
    require_quoted_name(file, ids)
    request = RemoveRequest(
        training_file=file,
        conversation_ids=tuple(selected_ids(ids, batch, ids_from)),
        comment=reason,
        requested_by=requested_by or current_user(),
        request_id=request_id or str(uuid4()),
    )
    engine, store = resources.engine(), resources.training_files_store()
    require_bound(engine, store)
    show_version(remove_conversations(engine, store, request))


def rollback(
    file: File,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="N|TAG", help="The version to restore.", callback=checked_version
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; the version records it.")] = "",
    request_id: RequestId = None,
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Make a version with exactly the conversations of an earlier one."""
    ready("database", "s3")
    request = RollbackRequest(
        training_file=file,
        to=to,
        comment=reason,
        requested_by=requested_by or current_user(),
        request_id=request_id or str(uuid4()),
    )
    engine, store = resources.engine(), resources.training_files_store()
    require_bound(engine, store)
    show_version(roll_back(engine, store, request))


def tag(
    file: File,
    version: VersionArgument,
    name: TagArgument,
    protected: Annotated[
        bool, typer.Option("--protected", help="The tag can neither be moved nor removed.")
    ] = False,
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Name a version. The name works wherever a version's number does.

    A tag that another version has is moved, unless it is protected.
    """
    ready("database")
    tagged = tags.tag_version(
        resources.engine(),
        file,
        version,
        name,
        protected=protected,
        requested_by=requested_by or current_user(),
    )
    _show_tags(tagged)


def untag(file: File, name: TagArgument, json: Json = False) -> None:
    """Remove a tag; the version stays."""
    ready("database")
    _show_tags(tags.untag(resources.engine(), file, name, requested_by=current_user()))


def _show_tags(version: VersionRecord) -> None:
    names = ", ".join(tag.name for tag in version.tags) or "none"
    text = f"Tags of version {version.number} of “{version.training_file}”: {names}"
    show(version_document(version), lambda: stdout.print(text))
