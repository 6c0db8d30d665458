"""The life of a training file: its log, and commands that make no version."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field

from console.addresses import training_file_name
from console.api import documents
from console.api.access import AUTHENTICATED, JSON_BODY, Caller
from console.api.errors import WITH_BODY, problems
from console.api.parameters import Omittable, Parameters, Text, TrainingFileSegment
from console.api.selection import without_defaults
from db.api_tokens import ApiToken
from db.engine import reading
from domain.documents import damage_document, entry_document
from domain.frozen import FrozenModel
from domain.versions.requests import MAX_COMMENT_LENGTH, FileCommand
from operations import resources
from operations.archive import archive, unarchive
from operations.damage import refuse_damage
from operations.log import read_log
from operations.rename import rename

MAX_ENTRIES = 200
router = APIRouter(tags=["training files"], dependencies=[AUTHENTICATED])


class LogQuery(Parameters):
    limit: int = Field(50, ge=1, le=MAX_ENTRIES, description="How many entries at most.")
    before: Omittable[Annotated[int, Field(ge=1)]] = Field(
        None, description="Only entries older than the one with this id."
    )


class Change(FrozenModel):
    """Why a training file is changed."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=without_defaults)

    comment: Text = Field("", max_length=MAX_COMMENT_LENGTH, description="Why, for the log.")


class Renaming(Change):
    """The name that a training file shall have."""

    name: str = Field(description="1 to 120 characters.", examples=["Spring talks"])


class DamageChange(Change):
    """What becomes of conversations with damaged text."""

    refused: bool = Field(description="An error if true, a warning if false.")


@router.get(
    "/training-files/{training_file}/log", response_model=documents.Log, responses=problems(404)
)
def get_log(
    request: Request, training_file: TrainingFileSegment, page: Annotated[LogQuery, Query()]
) -> dict[str, Any]:
    """List what was done to a training file and what was refused, newest first.

    A deleted one is found by its id, or by its last name until another file has it.
    """
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, training_file)
    found = read_log(resources.engine(), name, limit=page.limit + 1, before=page.before)
    items = found[: page.limit]
    older = request.url.include_query_params(before=items[-1].id) if found != items else None
    return {
        "items": [entry_document(entry) for entry in items],
        "next": f"{older.path}?{older.query}" if older else None,
    }


@router.post(
    "/training-files/{training_file}/rename",
    response_model=documents.Renamed,
    responses=problems(404, *WITH_BODY),
    dependencies=[JSON_BODY],
)
def rename_training_file(
    training_file: TrainingFileSegment, renaming: Renaming, token: Caller
) -> dict[str, Any]:
    """Give a training file another name; its versions keep the one that they were made under."""
    command = _command(training_file, renaming.comment, token)
    name = rename(resources.engine(), command, renaming.name)
    return {"training_file": name, "renamed_from": command.name}


@router.post(
    "/training-files/{training_file}/archive",
    response_model=documents.FileStatus,
    responses=problems(404, *WITH_BODY),
    dependencies=[JSON_BODY],
)
def archive_training_file(
    training_file: TrainingFileSegment, change: Change, token: Caller
) -> dict[str, Any]:
    """Archive a training file: it can be read, and nothing can be added to it."""
    name = archive(resources.engine(), _command(training_file, change.comment, token))
    return {"training_file": name, "status": "archived"}


@router.post(
    "/training-files/{training_file}/unarchive",
    response_model=documents.FileStatus,
    responses=problems(404, *WITH_BODY),
    dependencies=[JSON_BODY],
)
def unarchive_training_file(
    training_file: TrainingFileSegment, change: Change, token: Caller
) -> dict[str, Any]:
    """Make an archived training file active again."""
    name = unarchive(resources.engine(), _command(training_file, change.comment, token))
    return {"training_file": name, "status": "active"}


@router.post(
    "/training-files/{training_file}/damage",
    response_model=documents.RefusedDamage,
    responses=problems(404, *WITH_BODY),
    dependencies=[JSON_BODY],
)
def set_refused_damage(
    training_file: TrainingFileSegment, change: DamageChange, token: Caller
) -> dict[str, Any]:
    """Have a training file refuse conversations with damaged text from now on, or take them."""
    command = _command(training_file, change.comment, token)
    name = refuse_damage(resources.engine(), command, refused=change.refused)
    return damage_document(name, refused=change.refused)


def _command(segment: str, comment: str, token: ApiToken) -> FileCommand:
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, segment)
    return FileCommand(
        training_file=name, comment=comment, requested_by=token.name, request_id=str(uuid4())
    )
