"""Add conversations to a training file, or create one with them."""

import secrets
from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import Engine

from db.commit import PostgresVersionLog
from db.engine import current_time, reading
from domain.errors import Blocked
from domain.format.fragment import Fragment
from domain.source.limits import Limits
from domain.versions.changes import compose_add
from domain.versions.composing import Composition
from domain.versions.record import VersionRecord
from domain.versions.requests import MAX_CONVERSATIONS, AddRequest
from operations.admission import decide
from operations.committing import commit_version
from operations.log import refusals_recorded
from operations.reading import MAX_THREADS, read_fragments
from storage.store import ObjectStore


def add(
    engine: Engine,
    conversations: ObjectStore,
    training_files: ObjectStore,
    request: AddRequest,
    *,
    limits: Limits,
    threads: int = MAX_THREADS,
) -> VersionRecord:
    """Carry out the request in this process: gate, read, commit.

    Raises Blocked with every reason, and what `make_version` raises.
    """
    with refusals_recorded(engine, request, request.action):
        with reading(engine) as connection:
            decision = decide(connection, request)
        if isinstance(decision, VersionRecord):
            return decision
        fragments, reasons = read_fragments(
            conversations,
            decision.conversations,
            limits=limits,
            strictness=decision.strictness(request),
            threads=threads,
        )
        if reasons:
            raise Blocked(reasons)
        return make_version(
            engine,
            training_files,
            request,
            fragments,
            training_file_id=decision.training_file_id,
        )


def make_version(
    engine: Engine,
    store: ObjectStore,
    request: AddRequest,
    fragments: Sequence[Fragment],
    *,
    training_file_id: UUID | None = None,
    max_conversations: int = MAX_CONVERSATIONS,
) -> VersionRecord:
    """Make the request's version, or return the one that it already made.

    If another request commits first, this one starts again from the new current version, gate
    included, with the same fragments. `training_file_id` is the file that the gate admitted it to.
    Raises Blocked, NotFound if that file has lost its name, and what `commit_version` raises.
    """

    def propose() -> Composition | VersionRecord:
        with reading(engine) as connection:
            decision = decide(
                connection,
                request,
                training_file_id=training_file_id,
                max_conversations=max_conversations,
            )
            now = current_time(connection)
        if isinstance(decision, VersionRecord):
            return decision
        return compose_add(
            request,
            decision,
            fragments,
            new_id=uuid4(),
            now=now,
            attempt=secrets.token_hex(4),
        )

    outcome = commit_version(PostgresVersionLog(engine), store, propose)
    return outcome.version if isinstance(outcome, Composition) else outcome
