"""Forms that only pages of the same session can send (CSRF)."""

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request

from console.context import console_context
from console.security.sessions import browser_state

TOKEN_FIELD = "form_token"  # noqa: S105 - the field's name
MAX_FIELDS = 300


class ForgedForm(Exception):
    """The form did not come from a page of this session."""


def form_token(request: Request) -> str:
    """Return the token that this session's forms carry."""
    return console_context(request).cookies.form_token(browser_state(request).session)


async def checked_form(request: Request) -> FormData:
    """Read the form that was sent; raise ForgedForm unless a page of this session sent it."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForgedForm
    form = await request.form(max_files=0, max_fields=MAX_FIELDS)
    sent, expected = text_field(form, TOKEN_FIELD), form_token(request)
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise ForgedForm
    return form


def text_field(form: FormData, name: str) -> str:
    """Return one field of a form; empty where it is missing."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
