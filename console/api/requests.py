"""Requests to add conversations: check one, send it, follow it."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import Field

from console.api import documents
from console.api.access import AUTHENTICATED, JSON_BODY, Caller
from console.api.errors import WITH_BODY, problems
from console.api.parameters import Omittable
from console.api.request_status import status_document
from console.api.selection import Addition, Selection
from console.context import SUBMISSION_PATIENCE, runs
from db.engine import reading
from domain.documents import admitted_document, blocked_document
from domain.errors import Blocked
from domain.versions.naming import MAX_REQUEST_ID_LENGTH
from domain.versions.record import VersionRecord
from operations import preview, resources
from operations.admission import decide
from operations.log import refusals_recorded

POLL_SECONDS = 1
IN_PROGRESS = {"accepted", "running"}
REQUEST_ID = rf"^[A-Za-z0-9_-]{{1,{MAX_REQUEST_ID_LENGTH}}}$"
LOCATION = {
    "Location": {
        "description": "Where to follow the request.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
RETRY_AFTER = {
    "Retry-After": {
        "description": "In how many seconds to ask again, while the request is in progress.",
        "schema": {"type": "integer"},
    }
}
router = APIRouter(tags=["adding"], dependencies=[AUTHENTICATED])


RequestId = Annotated[str, Field(pattern=REQUEST_ID)]
IdempotencyKey = Annotated[
    Omittable[RequestId],
    Header(
        alias="Idempotency-Key",
        description="The request's id. The same request under the same id is carried out once, "
        "however often it is sent; left out, an id is made.",
    ),
]


@router.post(
    "/check",
    response_model=documents.Admitted | documents.Refused,
    responses=problems(404, *WITH_BODY),
    dependencies=[JSON_BODY],
)
def check(selection: Selection, token: Caller) -> dict[str, Any]:
    """Ask whether the conversations can be added, without submitting or writing anything.

    What is asked are rules that the database can answer; the files are read when they are added, or
    here if the training file refuses damaged text.
    """
    with reading(resources.engine()) as connection:
        request = selection.request(connection, requested_by=token.name, request_id=str(uuid4()))
    engine, limits = resources.engine(), resources.settings().limits
    try:
        admission = preview.check(engine, resources.conversations_store, request, limits=limits)
    except Blocked as blocked:
        return blocked_document(blocked.reasons)
    return admitted_document(request, admission)


@router.post(
    "/requests",
    status_code=202,
    response_model=documents.RequestStatus,
    response_description="The request is accepted, or was before.",
    responses=problems(404, *WITH_BODY) | {202: {"headers": LOCATION | RETRY_AFTER}},
    dependencies=[JSON_BODY],
)
def add(
    request: Request,
    response: Response,
    addition: Addition,
    token: Caller,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Add conversations to a training file, or create it with them.

    The rules are asked first: when anything blocks, nothing is submitted. `Location` is where to
    follow the request. One that was blocked or failed later is tried again by sending it again.
    """
    with reading(resources.engine()) as connection:
        add_request = addition.request(
            connection,
            description=addition.description.strip(),
            strict=addition.strict,
            requested_by=token.name,
            request_id=idempotency_key or str(uuid4()),
        )
    engine = resources.engine()
    with refusals_recorded(engine, add_request, add_request.action), reading(engine) as connection:
        decision = decide(connection, add_request)
    if not isinstance(decision, VersionRecord):
        runs(patience=SUBMISSION_PATIENCE).submit_add(add_request)
    status = status_document(add_request.request_id)
    response.headers["Location"] = f"{request.scope['root_path']}/requests/{status['request_id']}"
    _advise(response, status)
    return status


@router.get(
    "/requests/{request_id}",
    response_model=documents.RequestStatus,
    responses=problems(404) | {200: {"headers": RETRY_AFTER}},
)
def get_request(response: Response, request_id: Annotated[RequestId, Path()]) -> dict[str, Any]:
    """Follow a request. `Retry-After` says when to ask again, while it is in progress."""
    status = status_document(request_id)
    _advise(response, status)
    return status


def _advise(response: Response, status: dict[str, Any]) -> None:
    if status["state"] in IN_PROGRESS:
        response.headers["Retry-After"] = str(POLL_SECONDS)
