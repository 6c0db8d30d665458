"""Ask the gate, except for a request that already made its version."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from db.file_life import whereabouts
from db.gate_facts import gate_facts
from db.versions import no_training_file, version_of_request
from db.visibility import hidden_rows
from domain.errors import AccessRefused, Blocked, NotFound
from domain.versions.eligibility import (
    Admission,
    ConversationFacts,
    EligibleConversation,
    TrainingFileFacts,
    admit,
    readmit,
    refuse_malformed,
    require_same,
)
from domain.versions.naming import name_key
from domain.versions.record import Member, VersionRecord
from domain.versions.requests import MAX_CONVERSATIONS, AddRequest, VersionRequest

T = TypeVar("T")


def gate(
    connection: Connection, request: AddRequest, *, max_conversations: int = MAX_CONVERSATIONS
) -> Admission:
    """Admit the request, or raise Blocked with every reason; change nothing.

    Raises AccessRefused where row level security hides all conversations.
    """
    refuse_malformed(request, max_conversations=max_conversations)
    return admit(request, *visible_facts(connection, request.name, request.ids))


def decide(
    connection: Connection,
    request: AddRequest,
    *,
    training_file_id: UUID | None = None,
    max_conversations: int = MAX_CONVERSATIONS,
) -> VersionRecord | Admission:
    """Return the version that this request already made, or its admission; raises Blocked.

    With the id of the training file that the request began with, raises NotFound where another or
    none has its name now.
    """
    refuse_malformed(request, max_conversations=max_conversations)

    def ask() -> Admission:
        try:
            admission = gate(connection, request, max_conversations=max_conversations)
        except Blocked:
            require_still_named(connection, request.name, training_file_id)
            raise
        if training_file_id not in (None, admission.training_file_id):
            require_still_named(connection, request.name, training_file_id)
        return admission

    return unless_made(connection, request, ask)


def unless_made(
    connection: Connection, request: VersionRequest, decide: Callable[[], T]
) -> VersionRecord | T:
    """Return the version that this request already made, or what `decide` returns or raises."""
    if made := version_made_by(connection, request):
        return made
    try:
        return decide()
    except (Blocked, NotFound):
        # A concurrent run of the same request may have committed since the look-up, and block it.
        if made := version_made_by(connection, request):
            return made
        raise


def require_still_named(connection: Connection, name: str, id: UUID | None) -> None:
    """Raise NotFound unless the training file that a request began with has its name still.

    A request names its file. After a rename it would go to another file of that name.
    """
    if id is None:
        return
    now, deleted_at = whereabouts(connection, id)
    if deleted_at is None and name_key(now) == name_key(name):
        return
    what = "deleted" if deleted_at else f"renamed to “{now}”"
    raise NotFound(
        f"“{name}” was {what} while this request was under way. Nothing was written. "
        "`trainfold files` lists the training files; ask again under a new request id."
    )


def version_made_by(connection: Connection, request: VersionRequest) -> VersionRecord | None:
    """Return the version that this request already made (invariant 5).

    Raises Blocked when the request id belongs to a different request.
    """
    made = version_of_request(connection, request.request_id)
    if made is not None:
        require_same(request, made)
    return made


def readmit_members(
    connection: Connection, name: str, members: Sequence[Member], *, training_file_id: UUID
) -> tuple[EligibleConversation, ...]:
    """Return the sources of a training file's members, if all may still be in it.

    Raises Blocked otherwise, and if the training file is not active; NotFound if it has lost its
    name meanwhile.
    """
    training_file, facts = visible_facts(
        connection, name, [member.conversation_id for member in members]
    )
    if training_file is None or training_file.current.training_file_id != training_file_id:
        require_still_named(connection, name, training_file_id)
        raise no_training_file(connection, name)
    return readmit(training_file, members, facts)


def visible_facts(
    connection: Connection, name: str, ids: Sequence[UUID]
) -> tuple[TrainingFileFacts | None, dict[UUID, ConversationFacts]]:
    """Read the gate's facts; raise AccessRefused where row level security hides all of them."""
    training_file, facts = gate_facts(connection, name, ids)
    if ids and not facts and (explanation := hidden_rows(connection)):
        # Judged without its rows, every conversation would be unknown.
        raise AccessRefused(explanation)
    return training_file, facts
