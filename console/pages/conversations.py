"""The conversations page: find and select conversations for a training file."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.browse_filters import Search, search, with_batch_id
from console.browse_query import PAGE_SIZES, PATH, BrowseQuery
from console.pages.choosing import MAX_SUGGESTIONS
from console.pages.dependencies import VisitorsForm, authenticate
from console.rendering import render, show_on_next_page
from console.security.forms import text_field
from console.security.sessions import browser_state
from console.selection import apply_picks, extend_selection, parse_uuids
from db.conversation_list import ConversationRow, conversation_rows
from db.conversation_search import (
    COLUMNS,
    MAX_REACHABLE,
    Column,
    Page,
)
from db.engine import reading
from db.training_files import TrainingFileChoice, training_file_choices
from db.visibility import hidden_rows
from domain.findings import Reason
from domain.source.vocabulary import KNOWN, EnrichmentStatus
from domain.versions.eligibility import source_reasons
from domain.versions.requests import MAX_CONVERSATIONS
from operations import resources

router = APIRouter(dependencies=[Depends(authenticate)])

HEADINGS: dict[Column, str] = {
    "title": "Conversation",
    "persona": "Persona",
    "arc": "Arc",
    "topic": "Topic",
    "tier": "Tier",
    "quality": "Quality",
    "status": "Enrichment",
    "batch": "Batch ID",
    "created": "Created",
}


@router.get("/")
def start() -> Response:
    return RedirectResponse(PATH, status_code=303)


@router.get(PATH)
def conversations(request: Request) -> Response:
    query = BrowseQuery.from_parameters(request.query_params)
    with reading(resources.engine()) as connection:
        found = search(request, connection, query)
        targets = _targets(connection)
        page, query = _existing_page(connection, query, found)
        rows = conversation_rows(connection, page.ids)
        hidden = None if rows or found.problems else hidden_rows(connection)
    return render(
        request,
        "conversations.html",
        query=query,
        batch_label=found.batch_label,
        rows=rows,
        hidden=hidden,
        reasons_of={row.conversation_id: _reasons(row) for row in rows},
        total=page.total,
        pages=_page_count(page, query),
        reach=MAX_REACHABLE,
        vocabulary=found.terms.keys,
        problems=found.problems,
        statuses=[status.value for status in EnrichmentStatus],
        tiers=sorted(KNOWN["quality_tier"]),
        page_sizes=PAGE_SIZES,
        columns=COLUMNS,
        headings=HEADINGS,
        targets=targets,
        selection=browser_state(request).selection,
        limit=MAX_CONVERSATIONS,
    )


@router.post(PATH)
def act(request: Request, form: VisitorsForm) -> Response:
    """Save the ticks of the submitted page, then carry out its button's action."""
    action, _, argument = text_field(form, "do").partition(":")
    query = BrowseQuery.from_query_string(text_field(form, "at"))
    left_out = _save_picks(request, form)
    if action == "pick":
        return _render_counter(request, left_out)
    if left_out:
        show_on_next_page(request, _no_room(f"{len(left_out)} more were not selected."))
    if target := _next_step(action, argument, text_field(form, "find")):
        path, parameters = target
        address = urlencode({**parameters, **({"at": at} if (at := query.query_string) else {})})
        return RedirectResponse(f"{path}?{address}", status_code=303)
    if action in {"pick-page", "pick-all", "clear"}:
        _select(request, form, action, query)
        return RedirectResponse(query.url, status_code=303)
    query = _next_query(form, action, argument, query)
    with reading(resources.engine()) as connection:
        query = with_batch_id(connection, query)
    return RedirectResponse(query.url, status_code=303)


def _next_step(action: str, argument: str, find: str) -> tuple[str, dict[str, str]] | None:
    """Return the page that a selection is taken to, and its parameters."""
    if action == "add":
        return "/add", {"to": argument}
    if action == "create":
        return "/add", {"new": "1"}
    # Without scripts the field's Enter presses the form's first button, which filters.
    if action == "choose" or (action == "filter" and find):
        return "/add/to", {"find": find}
    return None


def _next_query(form: FormData, action: str, argument: str, query: BrowseQuery) -> BrowseQuery:
    """Return the query to show next; an unknown action keeps the current one."""
    if action == "sort" and argument in COLUMNS:
        return query.sorted_by(argument)
    if action == "page" and argument.isdecimal():
        return query.with_page(max(1, int(argument[:9])))
    if action == "filter":
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        chosen = BrowseQuery.from_parameters(fields | {"hide": query.hide})
        if text_field(form, "columns"):
            columns = [value for value in form.getlist("column") if isinstance(value, str)]
            chosen = chosen.showing(columns)
        return chosen
    return query


def _select(request: Request, form: FormData, action: str, query: BrowseQuery) -> None:
    if action == "clear":
        browser_state(request).selection = ()
    elif action == "pick-page":
        _extend_selection(request, [parse_uuids(text_field(form, "shown").split())])
    else:
        _select_matching(request, query)


def _save_picks(request: Request, form: FormData) -> tuple[UUID, ...]:
    """Apply the form's ticks to the selection; return the picks that exceed its limit."""
    state = browser_state(request)
    picked = parse_uuids(value for value in form.getlist("picked") if isinstance(value, str))
    shown = set(parse_uuids(text_field(form, "shown").split()))
    state.selection, left_out = apply_picks(state.selection, shown=shown, picked=picked)
    return left_out


def _targets(connection: Connection) -> list[TrainingFileChoice]:
    """Return the files that the menu offers."""
    return training_file_choices(
        connection, is_active=True, newest_first=True, limit=MAX_SUGGESTIONS
    )


def _render_counter(request: Request, left_out: Sequence[UUID]) -> Response:
    with reading(resources.engine()) as connection:
        targets = _targets(connection)
    return render(
        request,
        "parts/counter.html",
        targets=targets,
        selection=browser_state(request).selection,
        limit=MAX_CONVERSATIONS,
        left_out=left_out,
        problem=_no_room("Take others out first.") if left_out else None,
    )


def _select_matching(request: Request, query: BrowseQuery) -> None:
    with reading(resources.engine()) as connection:
        _extend_selection(request, search(request, connection, query).ids(connection))


def _extend_selection(request: Request, candidates: Iterable[Sequence[UUID]]) -> None:
    """Select the candidates that a training file can take, up to the limit."""
    state = browser_state(request)
    seen = ineligible = 0
    with reading(resources.engine()) as connection:
        for ids in candidates:
            rows = conversation_rows(connection, ids)
            eligible = [row.conversation_id for row in rows if not _reasons(row)]
            seen += len(ids)
            ineligible += len(ids) - len(eligible)
            state.selection, left_out = extend_selection(state.selection, eligible)
            if left_out:
                note = _no_room("More match; narrow the filters to choose others.")
                show_on_next_page(request, note)
                return
    notes = []
    if ineligible:
        notes.append(f"{ineligible:,} cannot be added and were left out; their rows show why.")
    if seen == MAX_REACHABLE:
        note = f"Only the first {MAX_REACHABLE:,} were considered; narrow the filters for others."
        notes.append(note)
    if notes:
        show_on_next_page(request, " ".join(notes))


def _no_room(advice: str) -> str:
    return f"At most {MAX_CONVERSATIONS} conversations can be selected. {advice}"


def _reasons(row: ConversationRow) -> list[Reason]:
    return source_reasons(
        row.conversation_id,
        enrichment_status=row.enrichment_status,
        enriched_file_path=row.enriched_file_path,
    )


def _existing_page(
    connection: Connection, query: BrowseQuery, search: Search
) -> tuple[Page, BrowseQuery]:
    """Return the query's page, or the last page if it is beyond; and the query of that page."""
    query = query.with_page(min(query.page, MAX_REACHABLE // query.page_size))
    page = search.page(connection, limit=query.page_size, offset=query.offset)
    if not page.ids and page.total:
        query = query.with_page(_page_count(page, query))
        page = search.page(connection, limit=query.page_size, offset=query.offset)
    return page, query


def _page_count(page: Page, query: BrowseQuery) -> int:
    return max(1, -(-min(page.total, MAX_REACHABLE) // query.page_size))
