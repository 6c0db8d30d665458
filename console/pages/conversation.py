"""A conversation's page: the talk, turn by turn, and what a curator needs to judge it."""

from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from console.browse_filters import search
from console.browse_query import PATH, BrowseQuery
from console.pages.dependencies import VisitorsForm, authenticate
from console.rendering import render, show_on_next_page
from console.security.forms import text_field
from console.security.sessions import browser_state
from console.selection import apply_picks
from db.engine import reading
from db.training_files import training_file_choices
from domain.versions.requests import MAX_CONVERSATIONS
from operations import resources
from operations.conversation import read_conversation, read_conversation_file

router = APIRouter(dependencies=[Depends(authenticate)])


class Place(NamedTuple):
    """Where the page was opened from: a list, and the conversation's place in it, from 0."""

    query: BrowseQuery
    number: int

    @property
    def parameters(self) -> str:
        return urlencode({"at": self.query.query_string, "place": self.number})

    @property
    def list_url(self) -> str:
        return self.query.with_page(self.number // self.query.page_size + 1).url


@router.get(PATH + "/{id}")
def conversation(request: Request, id: UUID, at: str = "", place: str = "") -> Response:
    opened_from = _place(at, place)
    found = read_conversation(
        resources.engine(),
        resources.conversations_store(),
        id,
        limits=resources.settings().limits,
    )
    previous, following = _neighbours(request, opened_from) if opened_from else (None, None)
    with reading(resources.engine()) as connection:
        files = training_file_choices(connection)
    return render(
        request,
        "conversation.html",
        row=found.row,
        transcript=found.transcript,
        reasons=found.reasons,
        opened_from=opened_from,
        previous=previous,
        following=following,
        active_files=[file for file in files if file.status == "active"],
        selection=browser_state(request).selection,
        limit=MAX_CONVERSATIONS,
    )


@router.get(PATH + "/{id}/json")
def conversation_file(id: UUID) -> Response:
    """Return the stored file as it is."""
    data = read_conversation_file(
        resources.engine(),
        resources.conversations_store(),
        id,
        limits=resources.settings().limits,
    )
    headers = {"Content-Disposition": f'inline; filename="{id}.json"'}
    return Response(data, media_type="application/json", headers=headers)


@router.post(PATH + "/{id}")
def pick(request: Request, id: UUID, form: VisitorsForm) -> Response:
    """Select the conversation, or take it out of the selection; return to its page."""
    state = browser_state(request)
    picked = [id] if text_field(form, "do") == "pick" else []
    state.selection, left_out = apply_picks(state.selection, shown={id}, picked=picked)
    if left_out:
        note = f"At most {MAX_CONVERSATIONS} conversations can be selected. Take others out first."
        show_on_next_page(request, note)
    opened_from = text_field(form, "from")
    target = f"{PATH}/{id}?{opened_from}" if opened_from.isprintable() else f"{PATH}/{id}"
    return RedirectResponse(target, status_code=303)


def _place(at: str, place: str) -> Place | None:
    if not place.isdecimal():
        return None
    return Place(BrowseQuery.from_query_string(at), int(place[:6]))


def _neighbours(request: Request, place: Place) -> tuple[str | None, str | None]:
    """Return the pages of the conversations before and after, in the list's order now."""
    first = max(0, place.number - 1)
    with reading(resources.engine()) as connection:
        found = search(request, connection, place.query)
        ids = found.page(connection, limit=3, offset=first).ids
    numbered = dict(enumerate(ids, first))

    def url(number: int) -> str | None:
        id = numbered.get(number)
        return f"{PATH}/{id}?{Place(place.query, number).parameters}" if id else None

    return url(place.number - 1), url(place.number + 1)
