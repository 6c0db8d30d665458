"""Sign in and out, where the console keeps its own users."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from console.context import console
from console.rendering import render
from console.security.forms import checked_form, field
from console.security.identity import LoggedIn
from console.security.sessions import new_session, state

PATH = "/sign-in"
router = APIRouter()


def address(wanted: str) -> str:
    """The page's address; after it, the visitor gets what was wanted."""
    return f"{PATH}?{urlencode({'next': wanted})}"


@router.get(PATH)
def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - in the URL
    _logins(request)
    return render(request, "sign_in.html", next=_own(next), problem=None, name="")


@router.post(PATH)
def sign_in(request: Request, form: Annotated[FormData, Depends(checked_form)]) -> Response:
    users = _logins(request).users
    throttle = console(request).throttle
    name, wanted = field(form, "name").strip(), _own(field(form, "next"))
    client = request.client.host if request.client else ""
    if throttle.is_closed(name, client):
        return _again(request, 429, wanted, name, "Too many attempts. Wait five minutes.")
    if not users.check(name, field(form, "password")):
        throttle.failed(name, client)
        return _again(request, 401, wanted, name, "The name or the password is wrong.")
    # A new session: one that somebody planted before is worth nothing now.
    state(request).session = new_session(name, users.mark(name))
    return RedirectResponse(wanted, status_code=303)


@router.post("/sign-out")
def sign_out(request: Request, form: Annotated[FormData, Depends(checked_form)]) -> Response:  # noqa: ARG001 - checked
    held = state(request)
    held.session, held.selection = new_session(), ()
    return RedirectResponse(PATH, status_code=303)


def _again(request: Request, status: int, wanted: str, name: str, problem: str) -> Response:
    return render(request, "sign_in.html", status, next=wanted, problem=problem, name=name)


def _logins(request: Request) -> LoggedIn:
    identity = console(request).identity
    if not isinstance(identity, LoggedIn):
        raise HTTPException(404, "This console does not ask for a password.")
    return identity


def _own(wanted: str) -> str:
    """A path of this console; anything else could lead elsewhere."""
    parts = urlsplit(wanted)
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_path and not parts.netloc and wanted.isprintable() else "/"
