"""Choose among many files and batches: suggestions while one types, and a page of files."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from console.browse_query import BrowseQuery
from console.pages.dependencies import authenticate
from console.rendering import render
from console.security.sessions import browser_state
from db.batches import list_batches
from db.engine import reading
from db.training_files import count_training_files, training_file_choices
from domain.versions.requests import MAX_CONVERSATIONS
from operations import resources

MAX_SUGGESTIONS = 10
FILES_PER_PAGE = 50
Find = Annotated[str, Query(max_length=200)]
router = APIRouter(dependencies=[Depends(authenticate)])


@router.get("/choices/targets")
def targets(request: Request, find: Find = "") -> Response:
    """Render the first files to add to, for the menu."""
    with reading(resources.engine()) as connection:
        files = training_file_choices(
            connection, text=find, is_active=True, newest_first=True, limit=MAX_SUGGESTIONS
        )
    return render(request, "parts/targets.html", targets=files)


@router.get("/choices/files")
def file_names(request: Request, not_in: Find = "", to: Find = "") -> Response:
    """Render names of files as a field's suggestions; the fields of two pages ask for them."""
    with reading(resources.engine()) as connection:
        files = training_file_choices(
            connection, text=not_in or to, newest_first=True, limit=MAX_SUGGESTIONS
        )
    return render(request, "parts/suggestions.html", suggestions=[(f.name, "") for f in files])


@router.get("/choices/batches")
def batch_names(request: Request, batch: Find = "") -> Response:
    """Render batches as a field's suggestions."""
    with reading(resources.engine()) as connection:
        batches = list_batches(connection, text=batch, limit=MAX_SUGGESTIONS)
    suggestions = [(b.name or str(b.id), str(b.id)[:8]) for b in batches]
    return render(request, "parts/suggestions.html", suggestions=suggestions)


@router.get("/add/to")
def choose_file(request: Request, find: Find = "", at: str = "", page: int = 1) -> Response:
    """Render the files to add the selection to, a page at a time."""
    with reading(resources.engine()) as connection:
        total = count_training_files(connection, text=find, is_active=True)
        pages = max(1, -(-total // FILES_PER_PAGE))
        page = min(max(page, 1), pages)
        files = training_file_choices(
            connection,
            text=find,
            is_active=True,
            newest_first=True,
            limit=FILES_PER_PAGE,
            offset=(page - 1) * FILES_PER_PAGE,
        )
    return render(
        request,
        "choose_file.html",
        files=files,
        find=find,
        total=total,
        page=page,
        pages=pages,
        opened_from=BrowseQuery.from_query_string(at),
        selection=browser_state(request).selection,
        limit=MAX_CONVERSATIONS,
    )
