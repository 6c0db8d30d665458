"""The one reduce: merge the fragments, write both objects, commit the version."""

import random
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from uuid import uuid4

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff
from sqlalchemy import Engine

from db.engine import current_time, reading
from db.gate import decide
from db.versions import commit
from domain.errors import (
    CommitConflict,
    CommitOutcomeUnknown,
    TrainfoldError,
    Unreachable,
)
from domain.folding import Fold, fold
from domain.fragment import Fragment
from domain.merge import Document
from domain.naming import Format, version_key
from domain.requests import AddRequest, RebuildRequest
from domain.version import VersionRecord
from storage.store import ObjectStore
from tasks import resources
from tasks.policies import may_help

CONTENT_TYPES: dict[Format, str] = {"json": "application/json", "jsonl": "application/jsonl"}
LONGEST_PAUSE_SECONDS = 5.0
PATIENCE_SECONDS = 60
"""How long the database may stay away after an unknown outcome."""


@task(
    name="reduce",
    task_run_name="reduce",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=1),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_help,
    cache_policy=NO_CACHE,
)
def reduce(request: AddRequest, fragments: Sequence[Fragment]) -> VersionRecord:
    return make_version(resources.engine(), resources.training_files_store(), request, fragments)


def make_version(
    engine: Engine, store: ObjectStore, request: AddRequest, fragments: Sequence[Fragment]
) -> VersionRecord:
    """Make the request's version, or return the one that it has made already.

    A request that another one overtakes starts again from the new current version, gate
    included, with the fragments it has (invariant 4). Raises Blocked, Unreachable, AccessRefused,
    and CommitOutcomeUnknown when the database stays away after dying in the commit.
    """
    for attempt in count(1):
        with reading(engine) as connection:
            decision = decide(connection, request)
            now = current_time(connection)
        if isinstance(decision, VersionRecord):
            return decision
        folded = fold(request, decision, fragments, new_id=uuid4(), now=now)
        version = store_fold(store, request, folded)
        try:
            commit(engine, version, folded.contributions, description=request.description)
        except CommitConflict:
            drop(store, version)
            pause(attempt)
        except CommitOutcomeUnknown as unknown:
            # Its objects stay: the database may still be carrying out the commit.
            await_database(engine, unknown)
        else:
            return version
    raise AssertionError  # count() does not end


def store_fold(
    store: ObjectStore, request: AddRequest | RebuildRequest, folded: Fold
) -> VersionRecord:
    """Write both objects under keys that nobody else uses; the version is not recorded yet."""
    attempt = secrets.token_hex(4)
    keys: dict[Format, str] = {
        format: version_key(
            folded.training_file_id,
            folded.number,
            request_id=request.request_id,
            attempt=attempt,
            format=format,
        )
        for format in CONTENT_TYPES
    }
    _write(store, keys["json"], folded.full, "json")
    _write(store, keys["jsonl"], folded.lines, "jsonl")
    return VersionRecord(
        training_file_id=folded.training_file_id,
        training_file=folded.name,
        training_file_created_at=folded.created,
        number=folded.number,
        request_id=request.request_id,
        request_digest=request.digest,
        reason=folded.reason,
        created_at=folded.updated,
        created_by=request.requested_by,
        json_key=keys["json"],
        json_size_bytes=folded.full.size_bytes,
        json_digest=folded.json_digest,
        json_content_start=folded.full.content_start,
        json_content_end=folded.full.content_end,
        jsonl_key=keys["jsonl"],
        jsonl_size_bytes=folded.lines.size_bytes,
        jsonl_digest=folded.jsonl_digest,
        jsonl_content_start=folded.lines.content_start,
        conversation_count=folded.statistics.conversations,
        pair_count=folded.statistics.pairs,
        example_count=folded.statistics.examples,
        statistics=folded.statistics,
        warnings=folded.warnings,
        consultant_profile=dict(folded.consultant_profile),
    )


def _write(store: ObjectStore, key: str, document: Document, format: Format) -> None:
    size = store.compose(key, document.segments, content_type=CONTENT_TYPES[format])
    if size != document.size_bytes:
        raise Unreachable(
            f"The object store holds {size:,} bytes at {key} where {document.size_bytes:,} were "
            "sent. No version was recorded; the object is garbage."
        )


def await_database(engine: Engine, unknown: CommitOutcomeUnknown) -> None:
    """Return when the database answers again; then the request id tells what became of it."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    for attempt in count(1):
        try:
            with reading(engine) as connection:
                current_time(connection)
        except Unreachable:
            if time.monotonic() > give_up:
                raise unknown from None
            pause(attempt)
        else:
            return


def pause(attempt: int) -> None:
    """Longer from attempt to attempt, and never the same for two writers."""
    time.sleep(random.uniform(0, min(0.05 * 2**attempt, LONGEST_PAUSE_SECONDS)))  # noqa: S311


def drop(store: ObjectStore, version: VersionRecord) -> None:
    """Remove the objects of a version that was surely not recorded; maintenance gets the rest."""
    with suppress(TrainfoldError):
        store.delete(version.json_key)
        store.delete(version.jsonl_key)
