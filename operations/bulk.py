"""Make one version with more conversations than memory should hold: spool them, then compose."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from uuid import UUID, uuid4

from sqlalchemy import Engine

from db.commit import PostgresVersionLog
from db.engine import current_time, reading
from domain.errors import TEMPORARY, TrainfoldError
from domain.format import CONTENT_TYPES
from domain.format.digest import sha256
from domain.format.fragment import Fragment
from domain.format.full_json import BETWEEN
from domain.format.jsonl import with_suffix
from domain.format.spans import Span
from domain.source.limits import Limits
from domain.versions.changes import Piece, compose_pieces
from domain.versions.composing import Composition
from domain.versions.naming import rebuild_key
from domain.versions.plans import MAX_PLANNED, AddPlan
from domain.versions.record import VersionRecord
from operations.admission import decide
from operations.committing import commit_version
from operations.log import refusals_recorded
from operations.parts import read_sources
from storage.store import ObjectStore

CHUNK = 80
"""Conversations that are read and spooled at a time."""


def chunks(plan: AddPlan) -> list[tuple[UUID, ...]]:
    ids = plan.conversation_ids
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


def spool(
    engine: Engine,
    conversations: ObjectStore,
    training_files: ObjectStore,
    plan: AddPlan,
    number: int,
    *,
    limits: Limits,
) -> list[Piece]:
    """Read a chunk of the plan, and write it to two temporary objects.

    They are removed when the version is made, or by maintenance. Raises Blocked with every reason.
    """
    request = plan.part(1)
    with refusals_recorded(engine, request, request.action):
        ids = chunks(plan)[number - 1]
        fragments = read_sources(engine, conversations, plan, ids, limits=limits)
    # Where the plan creates the training file, its id is not known yet: any serves as a folder.
    folder, attempt = plan.training_file_id or uuid4(), secrets.token_hex(4)
    full = rebuild_key(folder, request_id=request.request_id, attempt=attempt, format="json")
    lines = rebuild_key(folder, request_id=request.request_id, attempt=attempt, format="jsonl")
    texts, examples = [f.full for f in fragments], [f.lines for f in fragments]
    training_files.put(full, BETWEEN.join(texts), content_type=CONTENT_TYPES["json"])
    training_files.put(lines, b"".join(examples), content_type=CONTENT_TYPES["jsonl"])
    return [
        Piece(_without_bytes(fragment), fragment.contribution, text, example)
        for fragment, text, example in zip(
            fragments, _spans(full, texts, BETWEEN), _spans(lines, examples, b""), strict=True
        )
    ]


def make_one_version(
    engine: Engine, store: ObjectStore, plan: AddPlan, pieces: Sequence[Piece]
) -> VersionRecord:
    """Make the plan's only version out of what was spooled, or return the one that it made.

    Raises what `make_version` raises. The spooled objects are kept only where a retry may help.
    """
    try:
        version = _commit(engine, store, plan, pieces)
    except TEMPORARY:
        raise
    except TrainfoldError:
        _drop(store, pieces)
        raise
    _drop(store, pieces)
    return version


def _commit(
    engine: Engine, store: ObjectStore, plan: AddPlan, pieces: Sequence[Piece]
) -> VersionRecord:
    request = plan.part(1)

    def propose() -> Composition | VersionRecord:
        with reading(engine) as connection:
            decision = decide(
                connection,
                request,
                training_file_id=plan.training_file_id,
                max_conversations=MAX_PLANNED,
            )
            now = current_time(connection)
        if isinstance(decision, VersionRecord):
            return decision
        suffixes = [conversation.line_suffix for conversation in decision.conversations]
        labelled = [
            _labelled(store, piece, suffix) for piece, suffix in zip(pieces, suffixes, strict=True)
        ]
        attempt = secrets.token_hex(4)
        return compose_pieces(request, decision, labelled, new_id=uuid4(), now=now, attempt=attempt)

    with refusals_recorded(engine, request, request.action):
        outcome = commit_version(PostgresVersionLog(engine), store, propose)
    return outcome.version if isinstance(outcome, Composition) else outcome


def _labelled(store: ObjectStore, piece: Piece, suffix: str) -> Piece:
    """Give the lines of a conversation the label that the gate gives, where it is another."""
    old = piece.contribution.line_suffix
    if suffix == old or not isinstance(piece.lines, Span):
        return piece
    stored = store.chunks(piece.lines.key, piece.lines.start, piece.lines.end)
    lines = with_suffix(b"".join(stored), old, suffix)
    changes = {"line_suffix": suffix, "jsonl_length": len(lines), "jsonl_sha256": sha256(lines)}
    contribution = piece.contribution.model_copy(update=changes)
    return piece._replace(contribution=contribution, lines=lines)


def _without_bytes(fragment: Fragment) -> Fragment:
    return fragment.model_copy(update={"full": b"", "lines": b""})


def _spans(key: str, parts: Sequence[bytes], separator: bytes) -> Iterator[Span]:
    steps = (len(part) + len(separator) for part in parts)
    for start, following in pairwise(accumulate(steps, initial=0)):
        yield Span(key, start, following - len(separator))


def _drop(store: ObjectStore, pieces: Sequence[Piece]) -> None:
    spans = (span for piece in pieces for span in (piece.full, piece.lines))
    for key in {span.key for span in spans if isinstance(span, Span)}:
        with suppress(TrainfoldError):
            store.delete(key)
