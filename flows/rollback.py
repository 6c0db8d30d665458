"""Roll a training file back to an earlier version."""

from typing import Any

from prefect import flow

from domain.versions.requests import RollbackRequest
from flows.add_conversations import made
from flows.form import Asker, ReasonOrNone, RequestId, TrainingFileName, VersionReference
from flows.running import ended, own_request_id, own_run_id
from tasks.history import roll_back
from tasks.upkeep import check_preconditions


@flow(name="rollback", flow_run_name="{training_file}")
def rollback(
    training_file: TrainingFileName,
    to: VersionReference,
    reason: ReasonOrNone = "",
    requested_by: Asker = "prefect",
    request_id: RequestId = "",
) -> Any:
    """Make a new version of a training file with exactly the conversations of an earlier one.

    Args:
        training_file: Name of the training file, as in: Spring talks
        to: The version to restore, by its number or a tag, as in: 3
        reason: Why, at most 2,000 characters; recorded on the version.
        requested_by: Who asks; recorded on the version.
        request_id: Makes a repeated request return the version it made; 1 to 100 characters out of
            A-Z, a-z, 0-9, _ and -. Left out, it is the run's idempotency key, or its id.
    """
    request = RollbackRequest(
        training_file=training_file,
        to=to,
        comment=reason,
        requested_by=requested_by,
        request_id=request_id or own_request_id(),
        run_id=own_run_id(),
    )

    def run() -> Any:
        check_preconditions()
        return made(roll_back(request))

    return ended(request.name, run)
