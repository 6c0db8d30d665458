"""Renders templates. Values are escaped; a name that a template does not know is an error."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from console.context import console_context
from console.security.forms import form_token
from console.security.sessions import browser_state
from domain.findings import by_cause
from domain.versions.naming import as_argument

PACKAGE = Path(__file__).parent
STATIC = PACKAGE / "static"
KILO = 1000
MINUTE, HOUR, DAY, MONTH = 60, 3600, 86_400, 30 * 86_400


def template_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PACKAGE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "size": size,
        "score": score,
        "moment": moment,
        "ago": ago,
        "readable": readable,
        "path": training_file_path,
        "shell": as_argument,
        "causes": by_cause,
    }
    environment.globals["asset"] = asset
    environment.globals["new_id"] = uuid4
    return environment


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a page, or a fragment of one; a page also shows the session's note, once."""
    state = browser_state(request)
    note = state.session.note
    if note:
        state.session = replace(state.session, note=None)
    html = (
        console_context(request)
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


def show_on_next_page(request: Request, note: str) -> None:
    """Store a note in the session; the next page shows it once."""
    state = browser_state(request)
    state.session = replace(state.session, note=note)


def number(value: float) -> str:
    return f"{value:,}"


def size(size_bytes: int) -> str:
    """Format a file's size with a decimal unit, as browsers show downloads: 160.9 kB."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if value < KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= KILO
    return f"{value:.1f} GB"


def score(value: Decimal | float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def moment(value: datetime | str) -> str:
    """Format a time in UTC, to the minute."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def ago(value: datetime | str, now: datetime | None = None) -> str:
    """Say how long ago a time was, up to a month; then its date."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    seconds = ((now or datetime.now(UTC)) - time).total_seconds()
    if not 0 <= seconds < MONTH:
        return f"{time.astimezone(UTC):%Y-%m-%d}"
    for length, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if count := int(seconds // length):
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def readable(key: str | None) -> str:
    """Format a vocabulary key, or another snake_case word, for people."""
    return key.replace("_", " ") if key else "–"


def training_file_path(name: str, id: UUID | str | None = None) -> str:
    """Return the path of a training file's page: by name, or by id if the name cannot be one."""
    segment = str(id) if id is not None and name in {".", ".."} else name
    return f"/training-files/{quote(segment, safe='')}"


@cache
def asset(name: str) -> str:
    """Return the URL of a static file, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
