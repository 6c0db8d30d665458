"""Preview a request without writing anything: ask the gate, then read the files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Engine

from db.engine import reading
from domain.errors import Blocked
from domain.findings import Reason
from domain.source.limits import Limits
from domain.versions.changes import compose_add
from domain.versions.composing import Composition
from domain.versions.eligibility import Admission
from domain.versions.requests import AddRequest
from operations.admission import gate
from operations.reading import read_fragments
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Preview:
    reasons: Sequence[Reason]
    """The reasons that would block the request."""
    composition: Composition | None = None
    """The version that the request would make, if the files were read and nothing blocks."""


def ask_gate(engine: Engine, request: AddRequest) -> Preview:
    """Return the reasons that the database gives."""
    return Preview(_ask(engine, request)[1])


def check(
    engine: Engine,
    conversations: Callable[[], ObjectStore],
    request: AddRequest,
    *,
    limits: Limits,
) -> Admission:
    """Admit the request or raise Blocked, as an add would, where the database can tell.

    The files are read only if the training file refuses damaged text, which nothing else tells.
    """
    with reading(engine) as connection:
        admission = gate(connection, request)
    if admission.refuses_damage:
        preview = examine(engine, conversations(), request, limits=limits)
        if preview.reasons:
            raise Blocked(preview.reasons)
    return admission


def examine(
    engine: Engine, conversations: ObjectStore, request: AddRequest, *, limits: Limits
) -> Preview:
    """Return the reasons that the database and the files give, or the composed version.

    The files of conversations that pass the gate are read even if others do not pass, so that all
    reasons are returned at once.
    """
    admission, reasons = _ask(engine, request)
    passing = admission or _ask(engine, _without_blocked(request, reasons))[0]
    if passing is None:
        return Preview(reasons)
    fragments, refused = read_fragments(
        conversations,
        passing.conversations,
        limits=limits,
        strictness=passing.strictness(request),
    )
    if reasons or refused:
        return Preview([*reasons, *refused])
    try:
        composition = compose_add(
            request, passing, fragments, new_id=uuid4(), now=datetime.now(UTC), attempt="preview"
        )
    except Blocked as blocked:
        return Preview(blocked.reasons)
    return Preview((), composition)


def _ask(engine: Engine, request: AddRequest) -> tuple[Admission | None, Sequence[Reason]]:
    try:
        with reading(engine) as connection:
            return gate(connection, request), ()
    except Blocked as blocked:
        return None, blocked.reasons


def _without_blocked(request: AddRequest, reasons: Sequence[Reason]) -> AddRequest:
    blocked = {reason.conversation_id for reason in reasons}
    rest = tuple(id for id in request.conversation_ids if str(id) not in blocked)
    return request.model_copy(update={"conversation_ids": rest})
