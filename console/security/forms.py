"""Forms that only our own pages can send (CSRF)."""

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request

from console.context import console
from console.security.sessions import state

FIELD = "form_token"
MOST_FIELDS = 300


class Forged(Exception):
    """A form that did not come from a page of this session."""


def form_token(request: Request) -> str:
    return console(request).cookies.form_token(state(request).session)


async def checked_form(request: Request) -> FormData:
    """The form that was sent; raises Forged unless a page of this very session sent it."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forged
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    if not hmac.compare_digest(_text(form, FIELD).encode(), form_token(request).encode()):
        raise Forged
    return form


def field(form: FormData, name: str) -> str:
    """One field of a form; empty when it is not there."""
    return _text(form, name)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
