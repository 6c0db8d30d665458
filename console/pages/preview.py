"""Preview the version that a selection would make, and submit the request."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from console.browse_query import PATH as CONVERSATIONS
from console.browse_query import BrowseQuery
from console.context import SUBMISSION_PATIENCE, runs
from console.pages.dependencies import AuthenticatedVisitor, VisitorsForm, authenticate
from console.rendering import render
from console.security.forms import text_field
from console.security.sessions import browser_state
from console.selection import extend_selection, parse_uuids
from db.conversation_list import conversation_rows
from db.engine import reading
from db.training_files import TrainingFileRow, training_file_rows
from domain.errors import Blocked
from domain.findings import Reason
from domain.versions.naming import MAX_NAME_LENGTH
from domain.versions.requests import MAX_DESCRIPTION_LENGTH, AddRequest
from operations import resources
from operations.admission import version_made_by
from operations.log import note_refusal
from operations.preview import Preview, ask_gate, examine

router = APIRouter(dependencies=[Depends(authenticate)])


@router.get("/add")
def preview_page(
    request: Request, visitor: AuthenticatedVisitor, to: str = "", read: bool = False, at: str = ""
) -> Response:
    """Show the gate's answer; the browser's next request, or a link, has the files read."""
    add_request = _unnamed_request(visitor.name, browser_state(request).selection, to=to)
    preview = _examine(add_request) if read else ask_gate(resources.engine(), add_request)
    return _render_page(request, add_request, preview, files_read=read, at=at)


@router.get("/add/contents")
def contents(
    request: Request, visitor: AuthenticatedVisitor, to: str = "", at: str = ""
) -> Response:
    """Read the files and render the part of the page that shows their results."""
    add_request = _unnamed_request(visitor.name, browser_state(request).selection, to=to)
    values = _preview_values(add_request, _examine(add_request), files_read=True, at=at)
    return render(request, "parts/contents.html", **values)


@router.post("/add")
def submit(request: Request, visitor: AuthenticatedVisitor, form: VisitorsForm) -> Response:
    """Submit the previewed request unless it is blocked now; a double click submits one run."""
    add_request = AddRequest(
        training_file=text_field(form, "to") or text_field(form, "name"),
        conversation_ids=tuple(text_field(form, "ids").split()),
        new=not text_field(form, "to"),
        description=text_field(form, "description").strip(),
        requested_by=visitor.name,
        request_id=text_field(form, "request_id"),
    )
    at = text_field(form, "at")
    preview = _examine(add_request)
    if preview.reasons and not _has_version(add_request):
        refused = Blocked(preview.reasons)
        note_refusal(resources.engine(), add_request, add_request.action, refused)
        return _render_blocked(request, add_request, preview, at=at)
    try:
        run_id = runs(patience=SUBMISSION_PATIENCE).submit_add(add_request)
    except Blocked as blocked:
        return _render_blocked(request, add_request, Preview(blocked.reasons), at=at)
    browser_state(request).selection = ()
    return RedirectResponse(f"/runs/{run_id}", status_code=303)


@router.post("/add/select")
def select(request: Request, form: VisitorsForm) -> Response:
    """Select these conversations and no others; preview adding them, or return to the list."""
    ids = parse_uuids(text_field(form, "ids").split())
    browser_state(request).selection, _ = extend_selection((), ids)
    if text_field(form, "next") != "preview":
        return RedirectResponse(CONVERSATIONS, status_code=303)
    to, at = text_field(form, "to"), text_field(form, "at")
    parameters = {**({"to": to} if to else {"new": "1"}), **({"at": at} if at else {})}
    return RedirectResponse(f"/add?{urlencode(parameters)}", status_code=303)


def _unnamed_request(requested_by: str, selection: Sequence[UUID], *, to: str) -> AddRequest:
    """Return the request to preview. A new file has no name yet, so an unused one is made up."""
    return AddRequest(
        training_file=to or str(uuid4()),
        conversation_ids=tuple(map(str, selection)),
        new=not to,
        requested_by=requested_by,
        request_id=str(uuid4()),
    )


def _examine(add_request: AddRequest) -> Preview:
    engine, store = resources.engine(), resources.conversations_store()
    return examine(engine, store, add_request, limits=resources.settings().limits)


def _has_version(add_request: AddRequest) -> bool:
    """Return whether this request already made its version, which then blocks it."""
    try:
        with reading(resources.engine()) as connection:
            return version_made_by(connection, add_request) is not None
    except Blocked:
        return False


def _render_blocked(
    request: Request, add_request: AddRequest, preview: Preview, *, at: str
) -> Response:
    return _render_page(
        request,
        add_request,
        preview,
        files_read=True,
        at=at,
        status=409,
        typed_name=add_request.training_file,
    )


def _render_page(
    request: Request,
    add_request: AddRequest,
    preview: Preview,
    *,
    files_read: bool,
    at: str,
    status: int = 200,
    typed_name: str = "",
) -> Response:
    return render(
        request,
        "add.html",
        status,
        name=typed_name,
        description=add_request.description,
        request_id=add_request.request_id,
        max_name_length=MAX_NAME_LENGTH,
        max_description_length=MAX_DESCRIPTION_LENGTH,
        **_preview_values(add_request, preview, files_read=files_read, at=at),
    )


def _preview_values(
    add_request: AddRequest, preview: Preview, *, files_read: bool, at: str
) -> dict[str, Any]:
    """Return the values that the page shares with the fragment that is loaded later."""
    reasons: dict[str, list[Reason]] = {}
    for reason in preview.reasons:
        reasons.setdefault(reason.conversation_id or "", []).append(reason)
    about_request = reasons.pop("", [])
    with reading(resources.engine()) as connection:
        selected = conversation_rows(connection, add_request.ids)
    return {
        "add_request": add_request,
        "rows": selected,
        "rows_by_id": {str(row.conversation_id): row for row in selected},
        "to": "" if add_request.new else add_request.training_file,
        "before": _current_file(add_request),
        "version": preview.composition.version if preview.composition else None,
        "request_reasons": about_request,
        "row_reasons": reasons,
        "files_read": files_read,
        "opened_from": BrowseQuery.from_query_string(at),
        "free": [id for id in add_request.conversation_ids if str(id) not in reasons],
    }


def _current_file(add_request: AddRequest) -> TrainingFileRow | None:
    """Return the training file that the request extends, or None."""
    if add_request.new:
        return None
    with reading(resources.engine()) as connection:
        files = training_file_rows(connection, add_request.name)
    return files[0] if files else None
