"""A request as a flow run, in this process and on the Prefect server that the environment names."""

import os
from typing import Any

from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest, RebuildRequest, VersionRequest
from flows.add_conversations import add_conversations
from flows.rebuild import rebuild_training_file
from operations import resources
from operations.rebuild import Rebuilt
from soak.services import Services
from soak.worker import End, RequestOutcome, end_of


def run_as_flow(request: VersionRequest, services: Services) -> RequestOutcome:
    """Run the flow to its end and read its state."""
    os.environ |= services.environment
    resources.forget()
    result = _state(request).result(raise_on_failure=False)
    if isinstance(result, Rebuilt) and not result.is_new:
        same = result.version.request_id == request.request_id
        return RequestOutcome(End.MADE, result.version.number) if same else UNCHANGED
    if isinstance(result, Rebuilt):
        return RequestOutcome(End.MADE, number=result.version.number)
    if isinstance(result, VersionRecord):
        return RequestOutcome(End.MADE, number=result.number)
    return end_of(result if isinstance(result, BaseException) else TypeError(repr(result)))


UNCHANGED = RequestOutcome(End.UNCHANGED)


def _state(request: VersionRequest) -> Any:
    common: dict[str, Any] = {
        "training_file": request.training_file,
        "requested_by": request.requested_by,
        "request_id": request.request_id,
        "return_state": True,
    }
    if isinstance(request, RebuildRequest):
        return rebuild_training_file(whole=request.whole, **common)
    if not isinstance(request, AddRequest):
        raise TypeError(f"{type(request).__name__} has no flow in the soak")
    ids = [str(id) for id in request.conversation_ids]
    return add_conversations(conversation_ids=ids, new=request.new, **common)
