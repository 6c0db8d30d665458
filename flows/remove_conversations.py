"""Remove conversations from a training file."""

from typing import Any

from prefect import flow

from domain.versions.requests import RemoveRequest
from flows.add_conversations import made
from flows.form import Asker, ConversationIds, PastedIds, Reason, RequestId, TrainingFileName
from flows.running import ended, own_request_id, own_run_id
from tasks.history import take_out
from tasks.upkeep import check_preconditions


@flow(name="remove-conversations", flow_run_name="{training_file}")
def remove_conversations(
    training_file: TrainingFileName,
    conversation_ids: ConversationIds | PastedIds,
    reason: Reason,
    requested_by: Asker = "prefect",
    request_id: RequestId = "",
) -> Any:
    """Make a new version of a training file without these conversations.

    Args:
        training_file: Name of the training file, as in: Spring talks
        conversation_ids: UUIDs of 1 to 80 conversations of the training file, none twice, as in:
            3c045402-b8f1-4633-ba1e-6ffb0666dbed
        reason: Why they are removed, at most 2,000 characters; recorded on the version.
        requested_by: Who asks; recorded on the version.
        request_id: Makes a repeated request return the version it made; 1 to 100 characters out of
            A-Z, a-z, 0-9, _ and -. Left out, it is the run's idempotency key, or its id.
    """
    request = RemoveRequest(
        training_file=training_file,
        conversation_ids=conversation_ids,
        comment=reason,
        requested_by=requested_by,
        request_id=request_id or own_request_id(),
        run_id=own_run_id(),
    )

    def run() -> Any:
        check_preconditions()
        return made(take_out(request))

    return ended(request.name, run)
