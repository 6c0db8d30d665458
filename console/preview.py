"""What a request would do, found out without doing it: the gate, and then the files themselves."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from db.engine import reading
from db.gate import gate
from domain.eligibility import Admission, EligibleConversation
from domain.errors import Blocked
from domain.findings import Reason
from domain.folding import Fold, fold
from domain.fragment import Fragment
from domain.requests import AddRequest
from domain.validation import validate
from storage.source import read_source
from tasks import resources

THREADS = 8


@dataclass(frozen=True, slots=True)
class Preview:
    reasons: Sequence[Reason]
    """Why it would be blocked; empty when it would not."""
    fold: Fold | None = None
    """What the version would be."""


def ask_gate(request: AddRequest) -> Sequence[Reason]:
    """The reasons that the database knows of."""
    return _asked(request)[1]


def examine(request: AddRequest) -> Preview:
    """The reasons that the database knows of, and those that the files give.

    The files of conversations that pass are read even where others do not, so that all reasons
    come at once.
    """
    admission, reasons = _asked(request)
    passing = admission or _asked(_without_blocked(request, reasons))[0]
    if passing is None:
        return Preview(reasons)
    fragments, refused = _read(passing, strict=request.strict)
    if reasons or refused:
        return Preview([*reasons, *refused])
    try:
        made = fold(request, passing, fragments, new_id=uuid4(), now=datetime.now(UTC))
    except Blocked as blocked:
        return Preview(blocked.reasons)
    return Preview((), made)


def _asked(request: AddRequest) -> tuple[Admission | None, Sequence[Reason]]:
    try:
        with reading(resources.engine()) as connection:
            return gate(connection, request), ()
    except Blocked as blocked:
        return None, blocked.reasons


def _without_blocked(request: AddRequest, reasons: Sequence[Reason]) -> AddRequest:
    blocked = {reason.conversation_id for reason in reasons}
    rest = tuple(id for id in request.conversation_ids if id not in blocked)
    return request.model_copy(update={"conversation_ids": rest})


def _read(admission: Admission, *, strict: bool) -> tuple[list[Fragment], list[Reason]]:
    store, limits = resources.conversations_store(), resources.settings().limits

    def fragment(eligible: EligibleConversation) -> Fragment | Blocked:
        try:
            data = read_source(store, eligible, most_bytes=limits.file_bytes)
            return validate(data, eligible, limits=limits, strict=strict)
        except Blocked as blocked:
            return blocked

    with ThreadPoolExecutor(THREADS) as executor:
        found = list(executor.map(fragment, admission.conversations))
    reasons = [reason for each in found if isinstance(each, Blocked) for reason in each.reasons]
    return [each for each in found if isinstance(each, Fragment)], reasons
