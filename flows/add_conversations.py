"""Add conversations to a training file, or create one with them."""

from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.utilities.annotations import quote, unmapped

from domain.counting import counted
from domain.documents import version_document
from domain.errors import Blocked
from domain.findings import Reason
from domain.format.fragment import Fragment
from domain.versions.eligibility import Admission
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest
from domain.versions.validation import refuse_excess
from flows.form import (
    Asker,
    ConversationIds,
    Description,
    PastedIds,
    RequestId,
    TrainingFileName,
)
from flows.running import ended, own_request_id, own_run_id, settle, show_progress, task_runner
from operations import resources
from operations.log import refusals_recorded
from operations.reading import waves
from tasks.add import fetch, gate, measure, reduce, validate
from tasks.report import report_result, report_together, report_version
from tasks.upkeep import check_preconditions


@flow(name="add-conversations", flow_run_name="{training_file}", task_runner=task_runner())
def add_conversations(
    training_file: TrainingFileName,
    conversation_ids: ConversationIds | PastedIds,
    new: bool = False,
    description: Description = "",
    strict: bool = False,
    requested_by: Asker = "prefect",
    request_id: RequestId = "",
) -> Any:
    """Fold conversations into a training file and record a new version.

    Args:
        training_file: Name of the training file, 1 to 120 characters, as in: Spring talks
        conversation_ids: UUIDs of 1 to 80 conversations, none twice, in the order they shall stand
            in, as in: 3c045402-b8f1-4633-ba1e-6ffb0666dbed
        new: Create the training file; its name must be free.
        description: What the training file is for, when it is created; at most 2,000 characters.
        strict: Treat warnings as errors.
        requested_by: Who asks; recorded on the version.
        request_id: Makes a repeated request return the version it made; 1 to 100 characters out of
            A-Z, a-z, 0-9, _ and -. Left out, it is the run's idempotency key, or its id.
    """
    request = AddRequest(
        training_file=training_file,
        conversation_ids=conversation_ids,
        new=new,
        description=description,
        strict=strict,
        requested_by=requested_by,
        request_id=request_id or own_request_id(),
        run_id=own_run_id(),
    )
    return ended(request.name, lambda: made(run(request)))


def run(request: AddRequest) -> VersionRecord:
    """Run the tasks of an add; raise Blocked with every reason."""
    check_preconditions()
    with refusals_recorded(resources.engine(), request, request.action):
        decision = gate(request)
        if isinstance(decision, VersionRecord):
            return decision
        fragments = collect(request, decision)
        return reduce(request, quote(fragments), decision.training_file_id)


def collect(request: AddRequest, admission: Admission) -> list[Fragment]:
    """Fetch and validate every conversation; raise Blocked with the reasons of all of them.

    Raises Blocked early if the request as a whole exceeds a limit.
    """
    conversations, strictness = admission.conversations, admission.strictness(request)
    fetches = fetch.map(conversations, measure(conversations), unmapped(request.request_id))
    show_progress(fetches, "conversations fetched")
    sources, missing = settle(fetches)
    fetched = [pair for pair in zip(sources, conversations, strict=True) if pair[0] is not None]
    fragments: list[Fragment] = []
    refused: list[Reason] = []
    for wave in waves(fetched):
        valid, reasons = settle(validate.map(*zip(*wave, strict=True), unmapped(strictness)))
        fragments += [fragment for fragment in valid if fragment is not None]
        refused += reasons
        refuse_excess(fragments, limits=resources.settings().limits)
    if missing or refused:
        raise Blocked([*missing, *refused])
    return fragments


def made(version: VersionRecord) -> State[VersionRecord]:
    """Report the version and return the run's final state."""
    report_together(
        partial(report_version, version), partial(report_result, version_document(version))
    )
    message = (
        f"Version {version.number} of “{version.training_file}”: "
        f"{counted(version.conversation_count, 'conversation')}, "
        f"{counted(version.example_count, 'example')}"
    )
    return Completed(message=message, data=version)
