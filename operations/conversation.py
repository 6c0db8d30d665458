"""Read one conversation for people: its row, its file as a transcript, what is wrong with it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from db.conversation_list import ConversationRow, conversation_rows
from db.engine import reading
from db.gate_facts import gate_facts
from domain.errors import Blocked, NotFound
from domain.findings import Reason
from domain.source.checking import read
from domain.source.limits import Limits
from domain.source.transcript import Transcript, transcript_of
from domain.source.warnings import warnings_of
from domain.versions.eligibility import EligibleConversation, eligible_source
from operations.reading import read_source
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class ReadConversation:
    row: ConversationRow
    transcript: Transcript | None
    """None where the file cannot be read as a conversation."""
    reasons: tuple[Reason, ...]
    """The reasons why no training file can take the conversation."""


def read_conversation(
    engine: Engine, store: ObjectStore, conversation_id: UUID, *, limits: Limits
) -> ReadConversation:
    """Read a conversation and its file; raises NotFound, and the store's errors if it is away."""
    with reading(engine) as connection:
        rows = conversation_rows(connection, [conversation_id])
    if not rows:
        raise NotFound(f"There is no conversation {conversation_id}.")
    try:
        eligible = _source(engine, conversation_id)
        data = read_source(store, eligible, max_bytes=limits.file_bytes)
        _, conversation = read(data, conversation_id, limits=limits)
    except Blocked as blocked:
        return ReadConversation(rows[0], None, tuple(blocked.reasons))
    # Not gathered: each turn shows its own.
    warnings = warnings_of(conversation_id, conversation, eligible.row_scaffolding)
    return ReadConversation(rows[0], transcript_of(conversation, warnings), ())


def read_conversation_file(
    engine: Engine, store: ObjectStore, conversation_id: UUID, *, limits: Limits
) -> bytes:
    """Return the bytes of a conversation's file; raises NotFound where it has none to read."""
    try:
        return read_source(store, _source(engine, conversation_id), max_bytes=limits.file_bytes)
    except Blocked as blocked:
        raise NotFound(" ".join(reason.reason for reason in blocked.reasons)) from blocked


def _source(engine: Engine, conversation_id: UUID) -> EligibleConversation:
    with reading(engine) as connection:
        # No training file has an empty name: only the conversation is asked for.
        _, facts = gate_facts(connection, "", [conversation_id])
    return eligible_source(conversation_id, facts.get(conversation_id))
