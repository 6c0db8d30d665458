"""Plans: add all conversations that match, in parts, and follow them."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field

from console.api import documents
from console.api.access import AUTHENTICATED, JSON_BODY, Caller
from console.api.errors import WITH_BODY, problems
from console.api.parameters import Text
from console.api.requests import IN_PROGRESS, LOCATION, POLL_SECONDS, RETRY_AFTER, IdempotencyKey
from console.api.selection import without_defaults
from console.context import SUBMISSION_PATIENCE, runs
from console.plan_status import PlanStatus, plan_status
from domain.documents import blocked_document, plan_document, proposal_document
from domain.errors import Blocked
from domain.frozen import FrozenModel
from domain.versions.matching import FIELDS, MAX_CONDITIONS, parse_conditions
from domain.versions.naming import MAX_REQUEST_ID_LENGTH
from domain.versions.plans import PlanRequest
from domain.versions.requests import MAX_DESCRIPTION_LENGTH
from operations import resources
from operations.plans import make_plan, propose

router = APIRouter(tags=["adding"], dependencies=[AUTHENTICATED])

PlanId = Annotated[str, Path(pattern=rf"^[A-Za-z0-9_-]{{1,{MAX_REQUEST_ID_LENGTH}}}$")]


class MatchingAddition(FrozenModel):
    """All conversations to add that match conditions, or that are in a batch."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=without_defaults)

    training_file: str = Field(
        description="The training file's name: 1 to 120 characters.", examples=["Spring talks"]
    )
    new: bool = Field(False, description="Create the training file; its name must be free.")
    matching: list[str] = Field(
        [],
        max_length=MAX_CONDITIONS,
        description=f"Conditions that must all hold, on {', '.join(FIELDS)}.",
        examples=[["persona=anxious_planner", "quality>=4"]],
    )
    batch: Text | None = Field(
        None, description="The id or the name of a batch; the same as the condition `batch=…`."
    )
    description: Text = Field(
        "",
        max_length=MAX_DESCRIPTION_LENGTH,
        description="What a new training file is for.",
    )
    strict: bool = Field(False, description="Treat warnings as errors.")
    one_version: bool = Field(
        False, description="Make one version with all, and not one for each 80."
    )

    def request(self, *, requested_by: str, request_id: str) -> PlanRequest:
        """Build the request that the operations know; raise Blocked for bad conditions."""
        batch = [] if self.batch is None else [f"batch={self.batch}"]
        values = self.model_dump(exclude={"matching", "batch"})
        return PlanRequest(
            **values | {"description": self.description.strip()},
            matching=parse_conditions([*batch, *self.matching]),
            requested_by=requested_by,
            request_id=request_id,
        )


@router.post(
    "/plans/check",
    response_model=documents.Proposal | documents.Refused,
    responses=problems(404, *WITH_BODY),
    dependencies=[JSON_BODY],
)
def check_plan(addition: MatchingAddition, token: Caller) -> dict[str, Any]:
    """Count what would be added, and ask the rules about all of it; write nothing."""
    try:
        request = addition.request(requested_by=token.name, request_id=str(uuid4()))
        return proposal_document(propose(resources.engine(), request))
    except Blocked as blocked:
        return blocked_document(blocked.reasons)


@router.post(
    "/plans",
    status_code=202,
    response_model=documents.PlanStatus,
    response_description="The plan is stored and submitted, or was before.",
    responses=problems(404, *WITH_BODY) | {202: {"headers": LOCATION | RETRY_AFTER}},
    dependencies=[JSON_BODY],
)
def add_matching(
    request: Request,
    response: Response,
    addition: MatchingAddition,
    token: Caller,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Add all conversations that match and that the training file does not hold.

    The rules are asked about all of them first: when anything blocks, nothing is submitted. It
    takes these conversations however late; one that was blocked or failed goes on when sent again.
    """
    asked = addition.request(requested_by=token.name, request_id=idempotency_key or str(uuid4()))
    plan = make_plan(resources.engine(), asked)
    status = plan_status(asked.request_id)
    if status.state != "done":
        runs(patience=SUBMISSION_PATIENCE).submit_plan(plan)
        status = plan_status(asked.request_id)
    response.headers["Location"] = f"{request.scope['root_path']}/plans/{asked.request_id}"
    return _document(response, status)


@router.get(
    "/plans/{plan_id}",
    response_model=documents.PlanStatus,
    responses=problems(404) | {200: {"headers": RETRY_AFTER}},
)
def get_plan(response: Response, plan_id: PlanId) -> dict[str, Any]:
    """Follow a plan. `Retry-After` says when to ask again, while it is in progress."""
    return _document(response, plan_status(plan_id))


def _document(response: Response, status: PlanStatus) -> dict[str, Any]:
    if status.state in IN_PROGRESS:
        response.headers["Retry-After"] = str(POLL_SECONDS)
    return {
        **plan_document(status.progress),
        "state": status.state,
        **blocked_document(status.blocked),
        "error": status.error,
    }
