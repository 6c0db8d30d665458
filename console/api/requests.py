"""Requests to add conversations: check one, send it, follow it."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from console.api import documents
from console.api.access import AUTHENTICATED, JSON_BODY, Caller
from console.api.errors import WITH_BODY, problems
from console.api.parameters import Omitted, Text
from console.context import runs
from db.batches import conversation_ids_of, find_batch
from db.engine import reading
from db.versions import version_of_request
from domain.documents import admitted_document, blocked_document, version_document
from domain.errors import Blocked
from domain.versions.naming import MAX_REQUEST_ID_LENGTH
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest
from operations import resources
from operations.admission import decide, gate
from trainfold.prefect_http.runs import RunProgress

MAX_IDS = 1_000
"""In a body, so that the reasons for all of them fit an answer. The gate lets 80 pass."""
MAX_DESCRIPTION_LENGTH = 2_000
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


def _without_defaults(schema: dict[str, Any]) -> None:
    """Leave defaults out: openapi-typescript takes a property that has one as required."""
    for described in schema["properties"].values():
        described.pop("default", None)


class Selection(BaseModel):
    """Which conversations to add to which training file."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra=_without_defaults
    )

    training_file: str = Field(
        description="The training file's name: 1 to 120 characters.", examples=["Spring talks"]
    )
    new: bool = Field(False, description="Create the training file; its name must be free.")
    conversation_ids: list[str] = Field(
        [],
        max_length=MAX_IDS,
        description="Ids of at most 80 conversations, none twice, in the order they shall have.",
        examples=[["3c045402-b8f1-4633-ba1e-6ffb0666dbed"]],
    )
    batch: Text | None = Field(
        None,
        description="The id or the name of a batch whose conversations are added, too, after those "
        "that `conversation_ids` names.",
    )

    def request(self, connection: Connection, **values: Any) -> AddRequest:
        """Build the request that the operations know."""
        request = AddRequest(
            training_file=self.training_file,
            conversation_ids=tuple(self.conversation_ids),
            new=self.new,
            **values,
        )
        if self.batch is None:
            return request
        in_batch = conversation_ids_of(connection, find_batch(connection, self.batch))
        others = [id for id in in_batch if id not in request.ids]
        ids = (*request.conversation_ids, *others)
        return request.model_copy(update={"conversation_ids": ids})


class Addition(Selection):
    """What to add, and how."""

    description: Text = Field(
        "",
        max_length=MAX_DESCRIPTION_LENGTH,
        description="What a new training file is for.",
    )
    strict: bool = Field(False, description="Treat warnings as errors.")


RequestId = Annotated[str, Field(pattern=REQUEST_ID)]
IdempotencyKey = Annotated[
    RequestId | Omitted,
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

    What is asked are rules that the database can answer; the files are read when they are added.
    """
    with reading(resources.engine()) as connection:
        request = selection.request(connection, requested_by=token.name, request_id=str(uuid4()))
        try:
            return admitted_document(request, gate(connection, request))
        except Blocked as blocked:
            return blocked_document(blocked.reasons)


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
        decision = decide(connection, add_request)
    if not isinstance(decision, VersionRecord):
        runs().submit_add(add_request)
    status = _status(add_request.request_id)
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
    status = _status(request_id)
    _advise(response, status)
    return status


def _advise(response: Response, status: dict[str, Any]) -> None:
    if status["state"] in IN_PROGRESS:
        response.headers["Retry-After"] = str(POLL_SECONDS)


def _status(request_id: str) -> dict[str, Any]:
    """Return how far a request is: what the database knows, or else its run in Prefect."""
    version = _version(request_id)
    if version is None:
        run = runs().of_request(request_id)
        # The run may have made the version since.
        version = _version(request_id) if run.is_finished else None
        if version is None:
            return _run_document(request_id, run)
    return {
        "request_id": request_id,
        "state": "done",
        "training_file": version.training_file,
        "progress": None,
        "version": version_document(version),
        "blocked": [],
        "error": None,
        "run_id": None,
    }


def _version(request_id: str) -> VersionRecord | None:
    with reading(resources.engine()) as connection:
        return version_of_request(connection, request_id)


def _run_document(request_id: str, run: RunProgress) -> dict[str, Any]:
    blocked = run.outcome.blocked if run.outcome else ()
    return {
        "request_id": request_id,
        "state": _state(run),
        "training_file": run.training_file,
        "progress": {"total": run.total, "fetched": run.fetched, "validated": run.validated},
        "version": None,
        **blocked_document(blocked),
        "error": _failure(run) if run.is_finished and not blocked else None,
        "run_id": run.run_id,
    }


def _state(run: RunProgress) -> str:
    if not run.is_finished:
        return "accepted" if run.state_type in {"SCHEDULED", "PENDING"} else "running"
    return "blocked" if run.outcome and run.outcome.blocked else "failed"


def _failure(run: RunProgress) -> dict[str, Any]:
    if run.outcome and run.outcome.error:
        return run.outcome.error.model_dump()
    return {
        "type": None,
        "message": f"The run ended as {run.state_name}: {run.message or 'no reason was given'}",
    }
