"""Add conversations to a training file, or create one with them."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from prefect import flow
from prefect.futures import PrefectFuture, as_completed
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote, unmapped

from domain.documents import blocked_document, version_document
from domain.eligibility import EligibleConversation
from domain.errors import Blocked
from domain.findings import Reason
from domain.fragment import Fragment
from domain.requests import AddRequest
from domain.version import VersionRecord
from flows.form import (
    Asker,
    ConversationIds,
    Description,
    PastedIds,
    RequestId,
    TrainingFileName,
)
from flows.requesting import own_request_id
from tasks.fetch import fetch
from tasks.gate import gate
from tasks.preconditions import check_preconditions
from tasks.reduce import reduce
from tasks.report import FetchProgress, report_blocked, report_result, report_version
from tasks.validate import validate

R = TypeVar("R")


@flow(name="add-conversations", flow_run_name="{training_file}")
def add_conversations(
    training_file: TrainingFileName,
    conversation_ids: ConversationIds | PastedIds,
    new: bool = False,
    description: Description = "",
    strict: bool = False,
    requested_by: Asker = "prefect",
    request_id: RequestId | None = None,
) -> Any:
    """Fold conversations into a training file and record a new version.

    Args:
        training_file: Name of the training file.
        conversation_ids: UUIDs of 1 to 80 conversations, in the order they shall stand in.
        new: Create the training file; its name must be free.
        description: What the training file is for; kept when it is created.
        strict: Treat warnings as errors.
        requested_by: Who asks; recorded on the version.
        request_id: Makes a repeated request return the version it made. Default: this
            run's idempotency key, or its id.
    """
    request = AddRequest(
        training_file=training_file,
        conversation_ids=conversation_ids,
        new=new,
        description=description,
        strict=strict,
        requested_by=requested_by,
        request_id=request_id or own_request_id(),
    )
    try:
        version = run(request)
    except Blocked as blocked:
        report_blocked(request.name, blocked.reasons)
        report_result(blocked_document(blocked.reasons))
        return Failed(name="Blocked", message=str(blocked), data=blocked)
    report_version(version)
    report_result(version_document(version))
    return Completed(message=_summary(version), data=version)


def run(request: AddRequest) -> VersionRecord:
    """Precondition, gate, fetch ×N, validate ×N, reduce; raises Blocked with every reason."""
    check_preconditions()
    decision = gate(request)
    if isinstance(decision, VersionRecord):
        return decision
    fragments = collect(request, decision.conversations)
    return reduce(request, quote(fragments))


def collect(request: AddRequest, conversations: Sequence[EligibleConversation]) -> list[Fragment]:
    """Fetch and validate every conversation, so that a refusal names all that is wrong."""
    fetched = fetch.map(conversations, unmapped(request.request_id))
    show_progress(fetched)
    sources, missing = settle(fetched)
    found = [pair for pair in zip(sources, conversations, strict=True) if pair[0] is not None]
    checked = validate.map(
        [data for data, _ in found],
        [conversation for _, conversation in found],
        unmapped(request.strict),
    )
    fragments, refused = settle(checked)
    if missing or refused:
        raise Blocked([*missing, *refused])
    return [fragment for fragment in fragments if fragment is not None]


def settle(futures: Iterable[PrefectFuture[R]]) -> tuple[list[R | None], list[Reason]]:
    """Each result, None where it was refused, and the reasons; other errors are raised."""
    results: list[R | None] = []
    reasons: list[Reason] = []
    for future in futures:
        try:
            results.append(future.result())
        except Blocked as blocked:
            results.append(None)
            reasons.extend(blocked.reasons)
    return results, reasons


def show_progress(fetched: Sequence[PrefectFuture[bytes]]) -> None:
    progress = FetchProgress(len(fetched))
    for _ in as_completed(list(fetched)):
        progress.advance()


def _summary(version: VersionRecord) -> str:
    return (
        f"Version {version.number} of “{version.training_file}”: "
        f"{version.conversation_count} conversations, {version.example_count} examples"
    )
