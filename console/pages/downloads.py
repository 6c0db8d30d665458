"""A version's files. Never public: streamed, or by a link that works for minutes."""

from datetime import timedelta
from itertools import chain
from typing import Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console.context import console
from console.pages.naming import named
from console.pages.visiting import visiting
from db.engine import reading
from db.versions import find_version
from domain.format import Format
from domain.versions.naming import download_name
from operations import resources

LINK_LIFETIME = timedelta(minutes=2)
TYPES: dict[Format, str] = {"json": "application/json", "jsonl": "application/jsonl"}
router = APIRouter(dependencies=[Depends(visiting)])


@router.get("/training-files/{file}/versions/{number}/{format}")
def download(
    request: Request, file: str, number: int, format: Literal["json", "jsonl"]
) -> Response:
    with reading(resources.engine()) as connection:
        version = find_version(connection, named(connection, file), number)
    stored = version.stored(format)
    name = download_name(version.training_file, version.number, format)
    store = resources.training_files_store()
    if console(request).settings.downloads == "link":
        link = store.download_link(stored.key, file_name=name, lifetime=LINK_LIFETIME)
        return RedirectResponse(link, status_code=303)
    pieces = store.chunks(stored.key)
    # What is missing is told on a page, before the answer has begun.
    first = next(pieces, b"")
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        # A browser tells a download that broke off by its length.
        "Content-Length": str(stored.size_bytes),
    }
    return StreamingResponse(chain([first], pieces), media_type=TYPES[format], headers=headers)
