"""Arguments that name a training file, or select conversations: by ids, a batch, or a list."""

import sys
from itertools import takewhile
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from db.batches import conversation_ids_of, find_batch
from db.engine import reading
from db.training_files import training_file_rows
from db.visibility import hidden_rows
from domain.errors import AccessRefused
from domain.versions.tags import reference_problem
from operations import resources

File = Annotated[str, typer.Argument(metavar="FILE", help="Name of the training file.")]
IdArguments = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Conversation ids, in order.")
]
BatchOption = Annotated[
    str | None, typer.Option("--batch", help="All conversations of this batch (its id or name).")
]
IdsFromOption = Annotated[
    str | None,
    typer.Option(
        "--ids-from", metavar="PATH", help="Ids from a file, one per line; - reads stdin."
    ),
]


def checked_version(version: str | None) -> str | None:
    """Refuse a text that can be neither a version's number nor a tag."""
    if version is not None and (problem := reference_problem(version)):
        raise typer.BadParameter(problem)
    return version


def require_quoted_name(file: str, ids: list[str] | None) -> None:
    """Raise BadParameter if words before the first id look like the rest of an unquoted name."""
    rest = list(takewhile(lambda word: not is_id(word), ids or []))
    if not rest:
        return
    name = " ".join([file, *rest])
    with reading(resources.engine()) as connection:
        meant = training_file_rows(connection, name)
        is_known = bool(training_file_rows(connection, file))
    # Of a file that exists, the gate lists what is no id.
    if meant or (not is_known and len(rest) < len(ids or [])):
        quoted = meant[0].name if meant else name
        raise typer.BadParameter(f'did you mean "{quoted}"? Quote names with spaces.')


def is_id(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True


def selected_ids(ids: list[str] | None, batch: str | None, ids_from: str | None) -> list[str]:
    """Return the selected ids, in order; exactly one of the three must be given."""
    if sum(map(bool, (ids, batch, ids_from))) != 1:
        raise typer.BadParameter("give conversation ids, or --batch, or --ids-from")
    if batch:
        return ids_of_batch(batch)
    if ids_from:
        return _from_lines(ids_from)
    return ids or []


def ids_of_batch(id_or_name: str) -> list[str]:
    """Return all conversations of the batch with this id or name, in its order."""
    with reading(resources.engine()) as connection:
        batch = find_batch(connection, id_or_name)
        ids = [str(id) for id in conversation_ids_of(connection, batch)]
        if not ids and (explanation := hidden_rows(connection)):
            raise AccessRefused(explanation)
    return ids


def _from_lines(source: str) -> list[str]:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read {source}: {error}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
