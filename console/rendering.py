"""Templates to answers. Everything is escaped; what a template does not know is an error."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from console.context import console
from console.security.forms import form_token
from console.security.sessions import state

HERE = Path(__file__).parent
STATIC = HERE / "static"
KILO = 1000


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number,
        "size": size,
        "score": score,
        "moment": moment,
        "words": words,
        "path": file_path,
    }
    made.globals["asset"] = asset
    return made


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page or a part of one, for the visitor who asks."""
    held = state(request)
    note = held.session.note
    if note:
        held.session = replace(held.session, note=None)
    html = (
        console(request)
        .templates.get_template(template)
        .render(
            request=request,
            form_token=form_token(request),
            visitor=getattr(request.state, "visitor", None),
            note=note,
            **values,
        )
    )
    return HTMLResponse(html, status_code=status)


def tell_next(request: Request, note: str) -> None:
    """Have the next page say something once."""
    held = state(request)
    held.session = replace(held.session, note=note)


def number(value: float) -> str:
    return f"{value:,}"


def size(size_bytes: int) -> str:
    """1,234 kB, as the numbers of a download manager."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if value < KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= KILO
    return f"{value:.1f} GB"


def score(value: Decimal | float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def moment(value: datetime | str) -> str:
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"


def words(key: str | None) -> str:
    """A key of the vocabulary as people read it."""
    return key.replace("_", " ") if key else "–"


def file_path(name: str, id: UUID | str | None = None) -> str:
    """The path of a training file's page: its name, or its id where a name could not be a path."""
    part = str(id) if id is not None and name in {".", ".."} else name
    return f"/training-files/{quote(part, safe='')}"


@cache
def asset(name: str) -> str:
    """The URL of a static file, another one whenever its content is."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
