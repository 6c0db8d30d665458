"""Previews: what a request would do, without doing it. The gate is asked, then files are read."""

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

READER_THREADS = 8


@dataclass(frozen=True, slots=True)
class Preview:
    reasons: Sequence[Reason]
    """Why the request would be blocked; empty if it would not."""
    fold: Fold | None = None
    """The version that the request would make, once the files were read."""


def preview_by_gate(request: AddRequest) -> Preview:
    """Preview what the database knows, without reading the conversations' files."""
    return Preview(_ask_gate(request)[1])


def preview_with_files(request: AddRequest) -> Preview:
    """Preview what the database and the conversations' files say.

    The files of eligible conversations are read even if others are blocked, so that people see
    all reasons at once.
    """
    admission, gate_reasons = _ask_gate(request)
    eligible = admission or _ask_gate(_without_blocked(request, gate_reasons))[0]
    if eligible is None:
        return Preview(gate_reasons)
    fragments, file_reasons = _read_files(eligible, strict=request.strict)
    if gate_reasons or file_reasons:
        return Preview([*gate_reasons, *file_reasons])
    try:
        folded = fold(request, eligible, fragments, new_id=uuid4(), now=datetime.now(UTC))
    except Blocked as blocked:
        return Preview(blocked.reasons)
    return Preview((), folded)


def _ask_gate(request: AddRequest) -> tuple[Admission | None, Sequence[Reason]]:
    try:
        with reading(resources.engine()) as connection:
            return gate(connection, request), ()
    except Blocked as blocked:
        return None, blocked.reasons


def _without_blocked(request: AddRequest, reasons: Sequence[Reason]) -> AddRequest:
    blocked = {reason.conversation_id for reason in reasons}
    others = tuple(id for id in request.conversation_ids if id not in blocked)
    return request.model_copy(update={"conversation_ids": others})


def _read_files(admission: Admission, *, strict: bool) -> tuple[list[Fragment], list[Reason]]:
    store, limits = resources.conversations_store(), resources.settings().limits

    def read(conversation: EligibleConversation) -> Fragment | Blocked:
        try:
            data = read_source(store, conversation, most_bytes=limits.file_bytes)
            return validate(data, conversation, limits=limits, strict=strict)
        except Blocked as blocked:
            return blocked

    with ThreadPoolExecutor(READER_THREADS) as executor:
        results = list(executor.map(read, admission.conversations))
    blocked = [result for result in results if isinstance(result, Blocked)]
    reasons = [reason for refusal in blocked for reason in refusal.reasons]
    return [result for result in results if isinstance(result, Fragment)], reasons
