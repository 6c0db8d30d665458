"""Enter with the console's key, or sign in as a user of its users file; sign out."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from console.context import console_context
from console.rendering import render
from console.security.boundary import client_address
from console.security.forms import checked_form, text_field
from console.security.identity import KeyIdentity, SignedInIdentity
from console.security.sessions import browser_state, new_session

PATH = "/sign-in"
ENTRY = "/enter"
CheckedForm = Annotated[FormData, Depends(checked_form)]
router = APIRouter()


def url(destination: str) -> str:
    """Return the URL of the sign-in page that redirects to `destination`."""
    return f"{PATH}?{urlencode({'next': destination})}"


@router.get(PATH)
def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - in the URL
    if isinstance(console_context(request).identity, KeyIdentity):
        return render(request, "closed.html", 401)
    _require_users(request)
    return render(request, "sign_in.html", next=_own_path(next), problem=None, name="")


@router.post(PATH)
def sign_in(request: Request, form: CheckedForm) -> Response:
    users = _require_users(request).users
    throttle = console_context(request).throttle
    name, destination = text_field(form, "name").strip(), _own_path(text_field(form, "next"))
    address = client_address(request, console_context(request).settings)
    if not throttle.admit(name, address):
        return _refuse(request, 429, destination, name, "Too many attempts. Wait five minutes.")
    if not users.verify(name, text_field(form, "password")):
        return _refuse(request, 401, destination, name, "The name or the password is wrong.")
    throttle.forget(name, address)
    # A new session, so that a session planted by an attacker is not signed in.
    browser_state(request).session = new_session(name, users.password_fingerprint(name))
    return RedirectResponse(destination, status_code=303)


@router.get(ENTRY)
def enter(request: Request, key: str = "") -> Response:
    identity = console_context(request).identity
    if not isinstance(identity, KeyIdentity):
        return RedirectResponse("/", status_code=303)
    session = identity.enter(key)
    if session is None:
        return render(request, "closed.html", 401)
    browser_state(request).session = session
    # Another address, so that the key is not in the address bar, nor in what is copied from it.
    return RedirectResponse("/", status_code=303)


@router.post("/sign-out")
def sign_out(request: Request, form: CheckedForm) -> Response:  # noqa: ARG001 - it is checked
    state = browser_state(request)
    # A copy of the cookie, on another device say, is no longer signed in either.
    console_context(request).cookies.end(state.session)
    state.session, state.selection = new_session(), ()
    return RedirectResponse(PATH, status_code=303)


def _refuse(request: Request, status: int, destination: str, name: str, problem: str) -> Response:
    return render(request, "sign_in.html", status, next=destination, problem=problem, name=name)


def _require_users(request: Request) -> SignedInIdentity:
    """Return the identity with the users; raise 404 if the console has no users."""
    identity = console_context(request).identity
    if not isinstance(identity, SignedInIdentity):
        raise HTTPException(404, "This console does not ask for a password.")
    return identity


def _own_path(destination: str) -> str:
    """Return the destination if it is a path of this console, else `/`."""
    parts = urlsplit(destination)
    is_path = destination.startswith("/") and not destination.startswith(("//", "/\\"))
    return destination if is_path and not parts.netloc and destination.isprintable() else "/"
