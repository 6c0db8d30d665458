"""The conversations page: find, pick, and go on to a training file."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.browse import PATH, SIZES, Browse
from console.context import console
from console.pages.visiting import OwnForm, visiting
from console.rendering import render, tell_next
from console.security.forms import field
from console.security.sessions import state
from console.selection import uuids, with_more, with_picks
from db.batches import list_batches
from db.conversation_list import ConversationRow, conversation_rows
from db.conversation_search import (
    COLUMNS,
    MAX_REACHABLE,
    Column,
    Page,
    find_page,
    reachable_ids,
)
from db.engine import reading
from db.search_terms import KnownNames, SearchTerms
from db.training_files import training_file_choices, training_file_rows
from domain.eligibility import source_reasons
from domain.findings import Reason
from domain.limits import MAX_CONVERSATIONS
from tasks import resources

router = APIRouter(dependencies=[Depends(visiting)])

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
MOST_BATCHES = 1_000


@router.get("/")
def start() -> Response:
    return RedirectResponse(PATH, status_code=303)


@router.get(PATH)
def conversations(request: Request) -> Response:
    browse = Browse.of(request.query_params)
    with reading(resources.engine()) as connection:
        terms = _search_terms(request, connection, browse)
        files = training_file_choices(connection)
        page, browse = _page(connection, browse, terms)
        rows = conversation_rows(connection, page.ids)
        batches = list_batches(connection, limit=MOST_BATCHES)
    return render(
        request,
        "conversations.html",
        browse=browse,
        rows=rows,
        reasons_of={row.conversation_id: _reasons(row) for row in rows},
        batches=batches,
        total=page.total,
        pages=_pages(page, browse),
        reach=MAX_REACHABLE,
        vocabulary=terms.keys,
        statuses=STATUSES,
        sizes=SIZES,
        columns=COLUMNS,
        headings=HEADINGS,
        files=[file for file in files if file.status == "active"],
        all_files=files,
        selection=state(request).selection,
        limit=MAX_CONVERSATIONS,
    )


@router.post(PATH)
def act(request: Request, form: OwnForm) -> Response:
    """Save what is picked on the page that was sent; then do what its button says."""
    deed, _, what = field(form, "do").partition(":")
    at = Browse.of_query(field(form, "at"))
    left_out = _save_picks(request, form)
    if deed == "pick":
        return _counter(request, left_out)
    if left_out:
        tell_next(request, _no_room(f"{len(left_out)} more were not selected."))
    if deed == "add":
        return RedirectResponse(f"/add?{urlencode({'to': what})}", status_code=303)
    if deed == "create":
        return RedirectResponse("/add?new=1", status_code=303)
    if deed in {"pick-page", "pick-all", "clear"}:
        _select(request, form, deed, at)
        return RedirectResponse(at.url, status_code=303)
    return RedirectResponse(_turned(form, deed, what, at).url, status_code=303)


def _turned(form: FormData, deed: str, what: str, at: Browse) -> Browse:
    """What to show next."""
    if deed == "sort" and what in COLUMNS:
        return at.sorted_by(what)
    if deed == "page" and what.isdecimal():
        return at.at(max(1, int(what[:9])))
    if deed == "filter":
        return Browse.of({name: text for name, text in form.items() if isinstance(text, str)})
    return at


def _select(request: Request, form: FormData, deed: str, at: Browse) -> None:
    if deed == "clear":
        state(request).selection = ()
    elif deed == "pick-page":
        _pick(request, [uuids(field(form, "shown").split())])
    else:
        _pick_all(request, at)


def _save_picks(request: Request, form: FormData) -> tuple[UUID, ...]:
    """Returns the picks that had no room."""
    held = state(request)
    picked = uuids(value for value in form.getlist("picked") if isinstance(value, str))
    shown = set(uuids(field(form, "shown").split()))
    held.selection, left_out = with_picks(held.selection, shown=shown, picked=picked)
    return left_out


def _counter(request: Request, left_out: Sequence[UUID]) -> Response:
    return render(
        request,
        "parts/picked.html",
        selection=state(request).selection,
        limit=MAX_CONVERSATIONS,
        left_out=left_out,
        problem=_no_room("Take others out first.") if left_out else None,
    )


def _pick_all(request: Request, browse: Browse) -> None:
    with reading(resources.engine()) as connection:
        terms = _search_terms(request, connection, browse)
        filters = browse.filters(_id_of(connection, browse.not_in))
        _pick(request, reachable_ids(connection, filters, browse.order, terms))


def _pick(request: Request, candidates: Iterable[Sequence[UUID]]) -> None:
    """Add what can be added to a training file, as long as there is room."""
    held = state(request)
    seen = unfit = 0
    with reading(resources.engine()) as connection:
        for ids in candidates:
            rows = conversation_rows(connection, ids)
            fit = [row.conversation_id for row in rows if not _reasons(row)]
            seen += len(ids)
            unfit += len(ids) - len(fit)
            held.selection, left_out = with_more(held.selection, fit)
            if left_out:
                tell_next(request, _no_room("More match; narrow the filters to choose others."))
                return
    notes = []
    if unfit:
        notes.append(f"{unfit:,} cannot be added and were left out; their rows say why.")
    if seen == MAX_REACHABLE:
        first = f"The first {MAX_REACHABLE:,} were looked at"
        notes.append(f"{first}; narrow the filters to choose others.")
    if notes:
        tell_next(request, " ".join(notes))


def _no_room(more: str) -> str:
    return f"At most {MAX_CONVERSATIONS} conversations can be selected. {more}"


def _reasons(row: ConversationRow) -> list[Reason]:
    return source_reasons(
        row.conversation_id,
        enrichment_status=row.enrichment_status,
        enriched_file_path=row.enriched_file_path,
    )


def _search_terms(request: Request, connection: Connection, browse: Browse) -> SearchTerms:
    """Return the keys to choose from, and the names only if they are searched."""
    known = console(request)
    return SearchTerms(
        keys=known.known_keys.of(connection),
        names=known.known_names.of(connection) if browse.text else KnownNames(),
    )


def _page(connection: Connection, browse: Browse, terms: SearchTerms) -> tuple[Page, Browse]:
    """Return the page's conversations, or the last page's if there are not so many."""
    browse = browse.at(min(browse.page, MAX_REACHABLE // browse.per_page))
    page = _find(connection, browse, terms)
    if not page.ids and page.total:
        browse = browse.at(_pages(page, browse))
        page = _find(connection, browse, terms)
    return page, browse


def _find(connection: Connection, browse: Browse, terms: SearchTerms) -> Page:
    return find_page(
        connection,
        browse.filters(_id_of(connection, browse.not_in)),
        browse.order,
        terms,
        limit=browse.per_page,
        offset=browse.offset,
    )


def _pages(page: Page, browse: Browse) -> int:
    return max(1, -(-min(page.total, MAX_REACHABLE) // browse.per_page))


def _id_of(connection: Connection, name: str) -> UUID | None:
    files = training_file_rows(connection, name) if name else []
    return files[0].id if files else None
