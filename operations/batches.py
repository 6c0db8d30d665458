"""Rename an imported batch, or take conversations out of it; an application's are not ours."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine

from db import sources
from db.batches import Batch, find_batch
from db.engine import reading, writing
from domain.errors import Blocked
from domain.findings import Reason
from domain.versions.naming import MAX_NAME_LENGTH, name_key, normal_name, text_problem


def batch_name_problem(name: str) -> str | None:
    """Say why a name cannot be a batch's, or return None."""
    if not name_key(name):
        return "the name of a batch is blank"
    problem = text_problem(name, max_length=MAX_NAME_LENGTH)
    return f"the name of a batch cannot be this: {problem}" if problem else None


def rename_batch(engine: Engine, batch: str, name: str) -> Batch:
    """Give a batch another name; raise Blocked if it is taken, NotReady if not ours."""
    if problem := batch_name_problem(name):
        raise _blocked("batch-name", f"{problem[0].upper()}{problem[1:]}.")
    name = normal_name(name)
    with reading(engine) as connection:
        sources.require_ours(connection)
        found = find_batch(connection, batch)
    with writing(engine) as connection:
        if not sources.rename_batch(connection, found, name):
            raise _blocked("name-taken", f"Another batch is named “{name}”.")
    return Batch(id=found.id, name=name)


def unlink(engine: Engine, batch: str, ids: Sequence[UUID]) -> tuple[Batch, list[UUID]]:
    """Take conversations out of a batch, all or none; they stay imported, and in their files."""
    with reading(engine) as connection:
        sources.require_ours(connection)
        found = find_batch(connection, batch)
    with writing(engine) as connection:
        taken = set(sources.unlink(connection, found, ids))
        if missing := [id for id in ids if id not in taken]:
            raise Blocked([_absent(id, found) for id in missing])
    return found, list(dict.fromkeys(ids))


def _absent(id: UUID, batch: Batch) -> Reason:
    text = f"It is not in the batch “{batch.name or batch.id}”."
    return Reason(conversation_id=str(id), code="not-in-batch", reason=text)


def _blocked(code: str, text: str) -> Blocked:
    return Blocked([Reason(code=code, reason=text)])
