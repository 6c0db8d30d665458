"""From a selection to a run: choose a training file, see what would happen, submit."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from console.browse import PATH as CONVERSATIONS
from console.context import runs
from console.pages.visiting import OwnForm, Visiting, visiting
from console.preview import Preview, ask_gate, examine
from console.rendering import render
from console.security.forms import field
from console.security.sessions import state
from console.selection import uuids, with_more
from db.conversation_list import conversation_rows
from db.engine import reading
from db.training_files import TrainingFileRow, training_file_rows
from db.versions import find_request
from domain.errors import Blocked
from domain.findings import Reason
from domain.naming import MAX_NAME_LENGTH
from domain.requests import AddRequest
from tasks import resources

OK = 200
MOST_DESCRIPTION = 2_000
router = APIRouter(dependencies=[Depends(visiting)])


@router.get("/add")
def preview(request: Request, who: Visiting, to: str = "", read: bool = False) -> Response:
    """What the gate says; the files are read next, by the browser's request or a link."""
    asked = _request(who.name, state(request).selection, to=to)
    found = examine(asked) if read else Preview(ask_gate(asked))
    return _page(request, asked, found, is_read=read)


@router.get("/add/contents")
def contents(request: Request, who: Visiting, to: str = "") -> Response:
    """The part of the page that reads the files."""
    asked = _request(who.name, state(request).selection, to=to)
    return render(request, "parts/contents.html", **_shown(asked, examine(asked), is_read=True))


@router.post("/add")
def submit(request: Request, who: Visiting, form: OwnForm) -> Response:
    """Submit what was previewed, if still nothing blocks; a double click is one run."""
    asked = AddRequest(
        training_file=field(form, "to") or field(form, "name"),
        conversation_ids=tuple(field(form, "ids").split()),
        new=not field(form, "to"),
        description=field(form, "description").strip(),
        requested_by=who.name,
        request_id=field(form, "request_id"),
    )
    found = examine(asked)
    if found.reasons and not _is_carried_out(asked):
        return _page(request, asked, found, is_read=True, status=409)
    try:
        run_id = runs().submit_add(asked)
    except Blocked as blocked:
        return _page(request, asked, Preview(blocked.reasons), is_read=True, status=409)
    state(request).selection = ()
    return RedirectResponse(f"/runs/{run_id}", status_code=303)


@router.post("/add/leave-out")
def leave_out(request: Request, form: OwnForm) -> Response:
    """Take what blocks out of the selection."""
    held = state(request)
    blocked = set(uuids(field(form, "blocked").split()))
    held.selection = tuple(id for id in held.selection if id not in blocked)
    to = field(form, "to")
    return RedirectResponse(_address(to), status_code=303)


@router.post("/add/again")
def select_again(request: Request, form: OwnForm) -> Response:
    """Select the conversations of a run that was blocked, to mend the selection."""
    state(request).selection, _ = with_more((), uuids(field(form, "ids").split()))
    return RedirectResponse(CONVERSATIONS, status_code=303)


def _address(to: str) -> str:
    return f"/add?{urlencode({'to': to} if to else {'new': 1})}"


def _request(asked_by: str, selection: Sequence[UUID], *, to: str) -> AddRequest:
    """The request that a preview is of. A new file has no name yet, so a free one stands in."""
    return AddRequest(
        training_file=to or str(uuid4()),
        conversation_ids=tuple(map(str, selection)),
        new=not to,
        requested_by=asked_by,
        request_id=str(uuid4()),
    )


def _is_carried_out(asked: AddRequest) -> bool:
    """Whether this very request made a version already: then it is in its own way."""
    try:
        with reading(resources.engine()) as connection:
            return find_request(connection, asked) is not None
    except Blocked:
        return False


def _page(
    request: Request, asked: AddRequest, found: Preview, *, is_read: bool, status: int = 200
) -> Response:
    return render(
        request,
        "add.html",
        status,
        # What was typed; a stand-in for a name is not shown.
        name=asked.training_file if status != OK else "",
        description=asked.description,
        request_id=asked.request_id,
        longest_name=MAX_NAME_LENGTH,
        longest_description=MOST_DESCRIPTION,
        **_shown(asked, found, is_read=is_read),
    )


def _shown(asked: AddRequest, found: Preview, *, is_read: bool) -> dict[str, Any]:
    """What the page and its part that is read later have in common."""
    reasons: dict[str, list[Reason]] = {}
    for reason in found.reasons:
        reasons.setdefault(reason.conversation_id or "", []).append(reason)
    with reading(resources.engine()) as connection:
        chosen = conversation_rows(connection, [id for id in asked.ids if id])
    return {
        "asked": asked,
        "rows": chosen,
        "titles": {str(row.conversation_id): row for row in chosen},
        "to": "" if asked.new else asked.training_file,
        "before": _file(asked),
        "fold": found.fold,
        "of_request": reasons.pop("", []),
        "of_rows": reasons,
        "is_read": is_read,
    }


def _file(asked: AddRequest) -> TrainingFileRow | None:
    with reading(resources.engine()) as connection:
        found = [] if asked.new else training_file_rows(connection, asked.name)
    return found[0] if found else None
