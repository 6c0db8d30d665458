"""Commands on a training file's page: its name, status, what is kept and refused; and its log."""

from collections.abc import Callable
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.addresses import training_file_name
from console.pages.dependencies import AuthenticatedVisitor, VisitorsForm, authenticate
from console.rendering import render, show_on_next_page, training_file_path
from console.security.forms import text_field
from console.security.identity import Visitor
from db.engine import reading
from db.training_files import training_file_rows
from domain.errors import Blocked
from domain.versions.requests import FileCommand
from domain.versions.retention import KeepPolicy
from operations import resources
from operations.archive import archive, unarchive
from operations.damage import refuse_damage
from operations.delete import delete
from operations.keep import keep
from operations.log import read_log, refused
from operations.rename import rename

LIST = "/training-files"
ENTRIES_PER_PAGE = 50
router = APIRouter(dependencies=[Depends(authenticate)])


@router.get("/training-files/{file}/log")
def log(request: Request, file: str, before: int | None = None) -> Response:
    """Show a training file's log, page by page; that of a deleted file, too."""
    name = _name(file)
    entries = read_log(resources.engine(), name, limit=ENTRIES_PER_PAGE + 1, before=before)
    has_more = len(entries) > ENTRIES_PER_PAGE
    return render(
        request,
        "log.html",
        name=name,
        here=training_file_path(file),
        entries=entries[:ENTRIES_PER_PAGE],
        has_more=has_more,
    )


@router.post("/training-files/{file}/rename")
def rename_page(
    request: Request, file: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    command = _command(file, visitor, form)
    new_name = text_field(form, "name")

    def work() -> str:
        name = rename(resources.engine(), command, new_name)
        show_on_next_page(request, f"“{command.name}” is “{name}” now.")
        return _page_of(name)

    return _ended(request, command, work)


@router.post("/training-files/{file}/archive")
def archive_page(
    request: Request, file: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    command = _command(file, visitor, form)
    return _ended(
        request,
        command,
        lambda: _noted(request, archive(resources.engine(), command), "is archived"),
    )


@router.post("/training-files/{file}/unarchive")
def unarchive_page(
    request: Request, file: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    command = _command(file, visitor, form)
    return _ended(
        request,
        command,
        lambda: _noted(request, unarchive(resources.engine(), command), "is active again"),
    )


@router.post("/training-files/{file}/delete")
def delete_page(
    request: Request, file: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    command = _command(file, visitor, form)

    def work() -> str:
        id = delete(resources.engine(), command, confirmation=text_field(form, "confirm"))
        show_on_next_page(request, f"“{command.name}” is deleted. Its log: {LIST}/{id}/log")
        return LIST

    return _ended(request, command, work)


@router.post("/training-files/{file}/keep")
def keep_page(
    request: Request, file: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    command = _command(file, visitor, form)

    def work() -> str:
        policy = _policy(form)
        name = keep(resources.engine(), command, policy)
        return _noted(request, name, f"keeps {policy}")

    return _ended(request, command, work)


@router.post("/training-files/{file}/damage")
def damage_page(
    request: Request, file: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    command = _command(file, visitor, form)
    refused = text_field(form, "refused") == "on"

    def work() -> str:
        name = refuse_damage(resources.engine(), command, refused=refused)
        return _noted(request, name, f"{'refuses' if refused else 'takes'} damaged text")

    return _ended(request, command, work)


def _policy(form: FormData) -> KeepPolicy:
    """Read the form; an empty number keeps nothing by itself."""
    numbers: dict[str, int | None] = {}
    for field in ("last", "days"):
        text = text_field(form, field).strip()
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004
            raise refused("bad-policy", f"“{field}” is not a whole number.")
        numbers[field] = int(text) if text else None
    return KeepPolicy(**numbers, tagged=text_field(form, "tagged") == "on")


def _name(segment: str) -> str:
    with reading(resources.engine()) as connection:
        return training_file_name(connection, segment)


def _command(file: str, visitor: Visitor, form: FormData) -> FileCommand:
    return FileCommand(
        training_file=_name(file),
        comment=text_field(form, "comment").strip(),
        requested_by=visitor.name,
        request_id=str(uuid4()),
    )


def _noted(request: Request, name: str, what: str) -> str:
    show_on_next_page(request, f"“{name}” {what}.")
    return _page_of(name)


def _page_of(name: str) -> str:
    """Return the path of a file's page, or of the list where there is no such file."""
    with reading(resources.engine()) as connection:
        rows = training_file_rows(connection, name)
    return training_file_path(rows[0].name, rows[0].id) if rows else LIST


def _ended(request: Request, command: FileCommand, work: Callable[[], str]) -> Response:
    """Go where the work says; show on the file's page why it was refused."""
    try:
        destination = work()
    except Blocked as blocked:
        show_on_next_page(request, f"Nothing was changed. {blocked.reasons[0].reason}")
        destination = _page_of(command.name)
    return RedirectResponse(destination, status_code=303)
