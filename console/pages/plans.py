"""Add all that match: what a plan would add, the plan itself, and how far it is."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.browse_filters import Search, search
from console.browse_query import BrowseQuery
from console.context import SUBMISSION_PATIENCE, runs
from console.pages.dependencies import AuthenticatedVisitor, VisitorsForm, authenticate
from console.plan_status import plan_status
from console.rendering import render
from console.security.forms import text_field
from db.engine import reading
from domain.errors import Blocked, NotFound
from domain.findings import Reason
from domain.versions.matching import Matching
from domain.versions.naming import MAX_NAME_LENGTH
from domain.versions.plans import PlanRequest, Proposal
from domain.versions.requests import MAX_CONVERSATIONS
from operations import resources
from operations.plans import make_plan, propose

MAX_REASONS = 200
"""That a page shows; it says how many more there are."""
router = APIRouter(dependencies=[Depends(authenticate)])


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor asks for: the list's filters, a training file, and how many versions."""

    opened_from: BrowseQuery
    to: str
    new: bool
    one_version: bool

    def request(self, found: Search, *, requested_by: str, request_id: str) -> PlanRequest:
        return PlanRequest(
            training_file=self.to,
            new=self.new,
            one_version=self.one_version,
            matching=_matching(self.opened_from, found),
            requested_by=requested_by,
            request_id=request_id,
        )


@router.get("/plans/new")
def preview_plan(
    request: Request,
    visitor: AuthenticatedVisitor,
    at: str = "",
    to: str = "",
    new: bool = False,
    one_version: bool = False,
) -> Response:
    """Ask for the training file; with it, show what would be added and what blocks."""
    asked = Asked(BrowseQuery.from_query_string(at), to.strip(), new, one_version)
    found = _found(request, asked.opened_from)
    if not asked.to or found.problems:
        return _render(request, asked, problems=found.problems)
    wanted = asked.request(found, requested_by=visitor.name, request_id=str(uuid4()))
    try:
        proposal = propose(resources.engine(), wanted)
    except Blocked as blocked:
        return _render(request, asked, reasons=blocked.reasons)
    except NotFound as error:
        return _render(request, asked, problems=(str(error),))
    return _render(request, asked, proposal=proposal)


@router.post("/plans")
def submit_plan(request: Request, visitor: AuthenticatedVisitor, form: VisitorsForm) -> Response:
    """Store the plan and submit it; sent twice, it is one plan."""
    asked = _asked(form)
    found = _found(request, asked.opened_from)
    if found.problems:
        return _render(request, asked, 409, problems=found.problems)
    id = text_field(form, "request_id")
    wanted = asked.request(found, requested_by=visitor.name, request_id=id)
    try:
        plan = make_plan(resources.engine(), wanted)
    except Blocked as blocked:
        return _render(request, asked, 409, reasons=blocked.reasons)
    runs(patience=SUBMISSION_PATIENCE).submit_plan(plan)
    return RedirectResponse(f"/plans/{id}", status_code=303)


@router.get("/plans/{id}")
def plan(request: Request, id: str) -> Response:
    return render(request, "plan_status.html", followed=plan_status(id))


@router.get("/plans/{id}/progress")
def progress(request: Request, id: str) -> Response:
    return render(request, "parts/plan_progress.html", followed=plan_status(id))


def _asked(form: FormData) -> Asked:
    return Asked(
        BrowseQuery.from_query_string(text_field(form, "at")),
        text_field(form, "to").strip(),
        text_field(form, "new") == "true",
        text_field(form, "one_version") == "true",
    )


def _found(request: Request, query: BrowseQuery) -> Search:
    with reading(resources.engine()) as connection:
        return search(request, connection, query)


def _matching(query: BrowseQuery, found: Search) -> Matching:
    """Return the list's filters as conditions, which the plan keeps in words."""
    filters = found.filters
    return Matching(
        batches=tuple(map(str, filters.batch_ids)),
        persona=filters.persona,
        arc=filters.arc,
        topic=filters.topic,
        tier=filters.tier,
        status=filters.status,
        quality_at_least=filters.quality_at_least,
        quality_at_most=filters.quality_at_most,
        created_from=filters.created_from,
        created_until=filters.created_until,
        text=filters.text or None,
        not_in=query.not_in or None,
    )


def _render(
    request: Request,
    asked: Asked,
    status: int = 200,
    *,
    proposal: Proposal | None = None,
    reasons: tuple[Reason, ...] = (),
    problems: tuple[str, ...] = (),
) -> Response:
    values: dict[str, Any] = {
        "asked": asked,
        "proposal": proposal,
        "reasons": reasons[:MAX_REASONS],
        "more_reasons": max(0, len(reasons) - MAX_REASONS),
        "problems": problems,
        "max_name_length": MAX_NAME_LENGTH,
        "limit": MAX_CONVERSATIONS,
    }
    return render(request, "plan.html", status, **values)
