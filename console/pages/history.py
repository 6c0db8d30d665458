"""Versions on a training file's page: take conversations out, roll back, tag, compare."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.addresses import training_file_name
from console.pages.dependencies import AuthenticatedVisitor, VisitorsForm, authenticate
from console.rendering import render, show_on_next_page, training_file_path
from console.security.forms import text_field
from db.engine import reading
from db.versions import find_version
from domain.documents import diff_document
from domain.errors import Blocked
from domain.versions.record import VersionRecord
from domain.versions.requests import RemoveRequest, RollbackRequest
from operations import resources
from operations.diff import compare_versions
from operations.remove import remove
from operations.rollback import roll_back
from operations.tags import tag_version, untag

MAX_CHANGED = 50
"""Changed conversations that a page shows in detail."""
router = APIRouter(dependencies=[Depends(authenticate)])


@router.post("/training-files/{file}/remove")
def remove_page(
    request: Request, file: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    """Take the named conversations out of the training file: a new version without them."""
    name = _name(file)

    def work() -> VersionRecord:
        asked = RemoveRequest(
            training_file=name,
            conversation_ids=text_field(form, "ids"),
            comment=text_field(form, "comment"),
            **_asked(visitor.name, form),
        )
        return remove(resources.engine(), resources.training_files_store(), asked)

    return _ended(request, name, work, "Version {number} is without them.")


@router.post("/training-files/{file}/versions/{version}/rollback")
def rollback_page(
    request: Request, file: str, version: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    name = _name(file)

    def work() -> VersionRecord:
        asked = RollbackRequest(
            training_file=name,
            to=version,
            comment=text_field(form, "comment"),
            **_asked(visitor.name, form),
        )
        return roll_back(resources.engine(), resources.training_files_store(), asked)

    return _ended(request, name, work, f"Version {{number}} has the content of {version} again.")


@router.post("/training-files/{file}/versions/{version}/tags")
def tag_page(
    request: Request, file: str, version: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    """Give a tag to the version, or take one away."""
    name, tag = _name(file), text_field(form, "tag")
    engine = resources.engine()
    if text_field(form, "do") == "untag":
        return _ended(
            request, name, lambda: untag(engine, name, tag, requested_by=visitor.name), "Untagged."
        )
    protected = text_field(form, "protected") == "on"
    return _ended(
        request,
        name,
        lambda: tag_version(
            engine, name, version, tag, protected=protected, requested_by=visitor.name
        ),
        "Version {number} is tagged.",
    )


@router.get("/training-files/{file}/compare")
def compare_page(request: Request, file: str, before: str, after: str = "latest") -> Response:
    name = _name(file)
    diff = compare_versions(
        resources.engine(),
        resources.training_files_store(),
        name,
        before,
        after,
        max_changed=MAX_CHANGED,
    )
    return render(
        request,
        "compare.html",
        here=training_file_path(diff.after.training_file, diff.after.training_file_id),
        diff=diff_document(diff, limit=MAX_CHANGED),
    )


def _name(segment: str) -> str:
    with reading(resources.engine()) as connection:
        return training_file_name(connection, segment)


def _asked(visitor: str, form: FormData) -> dict[str, Any]:
    # The form's own id: sent twice, it makes one version.
    return {"requested_by": visitor, "request_id": text_field(form, "request_id")}


def _ended(request: Request, name: str, work: Callable[[], VersionRecord], done: str) -> Response:
    """Do the work and show the training file's page, with what came of it."""
    try:
        note = done.format(number=work().number)
    except Blocked as blocked:
        note = f"Nothing was changed. {' '.join(reason.reason for reason in blocked.reasons)}"
    show_on_next_page(request, note)
    with reading(resources.engine()) as connection:
        current = find_version(connection, name)
    path = training_file_path(current.training_file, current.training_file_id)
    return RedirectResponse(path, status_code=303)
