"""Download a version's files: streamed, or by a link that works for minutes; never public."""

from datetime import timedelta
from itertools import chain
from typing import Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console.addresses import training_file_name
from console.context import console_context
from console.pages.dependencies import authenticate
from db.engine import reading
from db.versions import find_stored_version
from domain.format import CONTENT_TYPES
from domain.versions.file_names import content_disposition, download_name
from operations import resources

LINK_LIFETIME = timedelta(minutes=2)
router = APIRouter(dependencies=[Depends(authenticate)])


@router.get("/training-files/{file}/versions/{version}/{format}")
def download(
    request: Request, file: str, version: str, format: Literal["json", "jsonl"]
) -> Response:
    """Send a file of a version, which is named by its number, by a tag, or as “latest”."""
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, file)
        record = find_stored_version(connection, name, version)
    stored = record.stored(format)
    file_name = download_name(record, format)
    store = resources.training_files_store()
    if console_context(request).settings.downloads == "link":
        link = store.download_link(stored.key, file_name=file_name, lifetime=LINK_LIFETIME)
        return RedirectResponse(link, status_code=303)
    chunks = store.chunks(stored.key)
    # A missing object raises here, while an error page can still be the response.
    first = next(chunks, b"")
    headers = {
        "Content-Disposition": content_disposition(file_name),
        # With the length, a browser detects a truncated download.
        "Content-Length": str(stored.size_bytes),
    }
    return StreamingResponse(
        chain([first], chunks), media_type=CONTENT_TYPES[format], headers=headers
    )
