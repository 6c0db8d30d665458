"""The conversations page: find and pick conversations, and go on to a training file."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.browse_query import PAGE_SIZES, PATH, BrowseQuery
from console.context import console_context
from console.pages.dependencies import VisitorsForm, authenticate
from console.rendering import render, show_on_next_page
from console.security.forms import text_field
from console.security.sessions import browser_state
from console.selection import apply_picks, extend_selection, parse_uuids
from db import browsing, catalogue, rows
from db.browsing import COLUMNS, REACH, Column, Page, Words
from db.engine import reading
from db.words import Names
from domain.versions.naming import name_key
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
STATUSES = (
    "not_started", "validation_failed", "validated", "enrichment_in_progress", "enriched",
    "normalization_failed", "completed",
)  # fmt: skip
MAX_BATCHES = 1_000


@router.get("/")
def start() -> Response:
    return RedirectResponse(PATH, status_code=303)


@router.get(PATH)
def conversations(request: Request) -> Response:
    query = BrowseQuery.from_parameters(request.query_params)
    with reading(resources.engine()) as connection:
        vocabulary, names = _search_terms(request, connection, query)
        files = catalogue.training_file_choices(connection)
        page, query = _existing_page(connection, query, (vocabulary, names))
        shown = rows.rows(connection, page.ids)
        batches = rows.batches(connection, limit=MAX_BATCHES)
    return render(
        request,
        "conversations.html",
        query=query,
        rows=shown,
        batches=batches,
        total=page.total,
        pages=_page_count(page, query),
        reach=REACH,
        vocabulary=vocabulary,
        statuses=STATUSES,
        page_sizes=PAGE_SIZES,
        columns=COLUMNS,
        headings=HEADINGS,
        active_files=[file for file in files if file.status == "active"],
        files=files,
        selection=browser_state(request).selection,
        limit=MAX_CONVERSATIONS,
    )


@router.post(PATH)
def act(request: Request, form: VisitorsForm) -> Response:
    """Save the ticks of the page that was sent; then do what its button says."""
    action, _, argument = text_field(form, "do").partition(":")
    query = BrowseQuery.from_query_string(text_field(form, "at"))
    left_out = _save_picks(request, form)
    if action == "pick":
        return _render_counter(request, left_out)
    if left_out:
        show_on_next_page(request, _no_room(f"{len(left_out)} more were not selected."))
    if action == "add":
        return RedirectResponse(f"/add?{urlencode({'to': argument})}", status_code=303)
    if action == "create":
        return RedirectResponse("/add?new=1", status_code=303)
    if action in {"pick-page", "pick-all", "clear"}:
        _select(request, form, action, query)
        return RedirectResponse(query.url, status_code=303)
    return RedirectResponse(_next_query(form, action, argument, query).url, status_code=303)


def _next_query(form: FormData, action: str, argument: str, query: BrowseQuery) -> BrowseQuery:
    """Return the query to show next; an unknown action shows the same again."""
    if action == "sort" and argument in COLUMNS:
        return query.sorted_by(argument)
    if action == "page" and argument.isdecimal():
        return query.with_page(max(1, int(argument[:9])))
    if action == "filter":
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return BrowseQuery.from_parameters(fields)
    return query


def _select(request: Request, form: FormData, action: str, query: BrowseQuery) -> None:
    if action == "clear":
        browser_state(request).selection = ()
    elif action == "pick-page":
        _extend_selection(request, [parse_uuids(text_field(form, "shown").split())])
    else:
        _select_matching(request, query)


def _save_picks(request: Request, form: FormData) -> tuple[UUID, ...]:
    """Apply the form's ticks to the selection; return the picks for which it had no room."""
    state = browser_state(request)
    picked = parse_uuids(value for value in form.getlist("picked") if isinstance(value, str))
    shown = set(parse_uuids(text_field(form, "shown").split()))
    state.selection, left_out = apply_picks(state.selection, shown=shown, picked=picked)
    return left_out


def _render_counter(request: Request, left_out: Sequence[UUID]) -> Response:
    return render(
        request,
        "parts/picked.html",
        selection=browser_state(request).selection,
        limit=MAX_CONVERSATIONS,
        left_out=left_out,
        problem=_no_room("Take others out first.") if left_out else None,
    )


def _select_matching(request: Request, query: BrowseQuery) -> None:
    with reading(resources.engine()) as connection:
        terms = _search_terms(request, connection, query)
        filters = query.filters(_training_file_id(connection, query.not_in))
        _extend_selection(request, browsing.all_ids(connection, filters, query.order, terms))


def _extend_selection(request: Request, candidates: Iterable[Sequence[UUID]]) -> None:
    """Select the candidates that a training file can take, as long as there is room."""
    state = browser_state(request)
    seen = ineligible = 0
    with reading(resources.engine()) as connection:
        for ids in candidates:
            eligible = rows.addable(connection, ids)
            seen += len(ids)
            ineligible += len(ids) - len(eligible)
            state.selection, left_out = extend_selection(state.selection, eligible)
            if left_out:
                note = _no_room("More match; narrow the filters to choose others.")
                show_on_next_page(request, note)
                return
    notes = []
    if ineligible:
        notes.append(f"{ineligible:,} cannot be added and were left out; their rows say why.")
    if seen == REACH:
        notes.append(f"The first {REACH:,} were looked at; narrow the filters to choose others.")
    if notes:
        show_on_next_page(request, " ".join(notes))


def _no_room(advice: str) -> str:
    return f"At most {MAX_CONVERSATIONS} conversations can be selected. {advice}"


def _search_terms(request: Request, connection: Connection, query: BrowseQuery) -> Words:
    """Return the vocabulary, and the names if the query searches them."""
    context = console_context(request)
    names = context.names.get(connection) if query.text else Names()
    return context.vocabulary.get(connection), names


def _existing_page(
    connection: Connection, query: BrowseQuery, terms: Words
) -> tuple[Page, BrowseQuery]:
    """Return the query's page, or the last one if there are fewer; and the query of that page."""
    query = query.with_page(min(query.page, REACH // query.page_size))
    page = _read_page(connection, query, terms)
    if not page.ids and page.total:
        query = query.with_page(_page_count(page, query))
        page = _read_page(connection, query, terms)
    return page, query


def _read_page(connection: Connection, query: BrowseQuery, terms: Words) -> Page:
    return browsing.page(
        connection,
        query.filters(_training_file_id(connection, query.not_in)),
        query.order,
        terms,
        limit=query.page_size,
        offset=query.offset,
    )


def _page_count(page: Page, query: BrowseQuery) -> int:
    return max(1, -(-min(page.total, REACH) // query.page_size))


def _training_file_id(connection: Connection, name: str) -> UUID | None:
    files = catalogue.training_files(connection, name_key(name)) if name else []
    return files[0].id if files else None
