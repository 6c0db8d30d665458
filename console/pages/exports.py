"""Make the exports of a version, and download them."""

from itertools import chain
from math import nan
from typing import Literal

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console.addresses import training_file_name
from console.context import console_context
from console.pages.dependencies import AuthenticatedVisitor, VisitorsForm, authenticate
from console.pages.downloads import LINK_LIFETIME
from console.rendering import training_file_path
from console.security.forms import text_field
from db.engine import reading
from db.exports import find_export
from db.versions import find_stored_version
from domain.errors import Blocked
from domain.exports import CONTENT_TYPES, ExportFormat
from domain.versions.file_names import content_disposition, export_name
from operations import resources
from operations.export_reading import proven_export
from operations.making_exports import make_exports, refuse_large
from operations.stored_exports import possible_formats

router = APIRouter(dependencies=[Depends(authenticate)])


@router.post("/training-files/{file}/versions/{number}/exports")
def make_version_exports(
    file: str, number: str, visitor: AuthenticatedVisitor, form: VisitorsForm
) -> Response:
    """Make those exports of the version that are missing, and show the file's page again."""
    engine, store = resources.engine(), resources.training_files_store()
    with reading(engine) as connection:
        version = find_stored_version(connection, training_file_name(connection, file), number)
    try:
        refuse_large(version)
        make_exports(
            engine,
            store,
            version,
            possible_formats(),
            validation=_share(text_field(form, "validation").strip()),
            created_by=visitor.name,
        )
    except Blocked as blocked:
        raise HTTPException(409, str(blocked)) from blocked
    path = training_file_path(version.training_file, version.training_file_id)
    return RedirectResponse(f"{path}#version-{version.number}", status_code=303)


@router.get("/training-files/{file}/versions/{number}/exports/{format}")
def download_export(
    request: Request,
    file: str,
    number: str,
    format: ExportFormat,
    split: Literal["", "train", "validation", "both"] = "",
) -> Response:
    engine, store = resources.engine(), resources.training_files_store()
    with reading(engine) as connection:
        version = find_stored_version(connection, training_file_name(connection, file), number)
        export = find_export(connection, version, format, split or None)
    file_name = export_name(version, export.download_name)
    if console_context(request).settings.downloads == "link":
        link = store.download_link(export.key, file_name=file_name, lifetime=LINK_LIFETIME)
        return RedirectResponse(link, status_code=303)
    chunks = proven_export(engine, store, version, export)
    # A missing object raises here, while an error page can still be the response.
    first = next(chunks, b"")
    headers = {
        "Content-Disposition": content_disposition(file_name),
        # With the length, a browser detects a truncated download.
        "Content-Length": str(export.size_bytes),
    }
    return StreamingResponse(
        chain([first], chunks), media_type=CONTENT_TYPES[format], headers=headers
    )


def _share(text: str) -> float | None:
    """Read the form's field; a text that is no number is a share that nobody can take."""
    try:
        return float(text) if text else None
    except ValueError:
        return nan
