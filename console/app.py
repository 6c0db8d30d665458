"""The console as an ASGI application."""

import secrets

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from console.api.app import PATH as API
from console.api.app import create_api
from console.context import ConsoleContext
from console.pages import (
    choosing,
    conversation,
    conversations,
    downloads,
    exports,
    file_life,
    fitness,
    following,
    history,
    plans,
    preview,
    signing_in,
    training_files,
)
from console.rendering import STATIC, render, template_environment
from console.security.boundary import BoundaryMiddleware
from console.security.ended_sessions import EndedSessions
from console.security.forms import ForgedForm
from console.security.identity import NotAllowed, NotSignedIn, identity_for
from console.security.rate_limit import RateLimit
from console.security.sessions import CookieMiddleware, Cookies
from console.settings import ConsoleSettings
from domain.errors import (
    AccessRefused,
    NotFound,
    NotReady,
    ObjectMissing,
    StoreRefused,
    TrainfoldError,
    Unreachable,
)
from operations.settings import home_directory
from trainfold.stack.home import PrivateJsonFile

STATUSES: dict[type[Exception], int] = {
    NotFound: 404,
    NotReady: 503,
    Unreachable: 503,
    AccessRefused: 503,
    ObjectMissing: 502,
    StoreRefused: 502,
    ForgedForm: 403,
    NotAllowed: 403,
}
TITLES = {
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    409: "Not possible",
    503: "Not ready",
}
FORGED_FORM = (
    "This form did not come from a page of your session, or the session has ended. Nothing was "
    "changed. Go back, reload the page and try again."
)


class ImmutableStaticFiles(StaticFiles):
    """Serves files that browsers cache for good: their URLs change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_app(settings: ConsoleSettings) -> FastAPI:
    """Build the application; raise NotReady if the settings would let strangers in."""
    identity = identity_for(settings)
    secret = settings.secret.get_secret_value() if settings.secret else secrets.token_hex(32)
    ended = EndedSessions(
        PrivateJsonFile(home_directory() / "console-ended-sessions.json"),
        lifetime_seconds=int(settings.session_lifetime.total_seconds()),
    )
    cookies = Cookies(secret, settings.session_lifetime, ended)
    app = FastAPI(title="trainfold", docs_url=None, redoc_url=None, openapi_url=None)
    context = ConsoleContext(
        settings,
        cookies,
        identity,
        template_environment(),
        RateLimit(settings.api_requests_per_minute),
    )
    app.state.context = context
    app.mount("/static", ImmutableStaticFiles(directory=STATIC))
    app.mount(API, create_api(context))
    app.add_api_route("/health", _health)
    for pages in (
        conversations,
        conversation,
        choosing,
        preview,
        plans,
        following,
        training_files,
        history,
        exports,
        downloads,
        fitness,
        file_life,
        signing_in,
    ):
        app.include_router(pages.router)
    for error in (TrainfoldError, ForgedForm, NotAllowed, HTTPException, RequestValidationError):
        app.add_exception_handler(error, _error_page)
    app.add_exception_handler(NotSignedIn, _redirect_to_sign_in)
    app.add_middleware(CookieMiddleware, cookies=cookies)
    app.add_middleware(BoundaryMiddleware, settings=settings)
    return app


def _health() -> Response:
    return Response(status_code=204)


async def _error_page(request: Request, error: Exception) -> Response:
    if request.url.path.startswith("/static/"):
        return Response("There is no such file.", status_code=404)
    if isinstance(error, RequestValidationError):
        status, message = 404, "There is no page with this address."
    elif isinstance(error, HTTPException):
        status, message = error.status_code, str(error.detail)
    else:
        status = next((s for kind, s in STATUSES.items() if isinstance(error, kind)), 500)
        message = FORGED_FORM if isinstance(error, ForgedForm) else str(error)
    title = TITLES.get(status, "Something went wrong")
    return render(request, "error.html", status=status, title=title, message=message)


async def _redirect_to_sign_in(request: Request, error: Exception) -> Response:  # noqa: ARG001
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": signing_in.PATH})
    destination = request.url.path if request.method == "GET" else "/"
    query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
    return RedirectResponse(signing_in.url(destination + query), status_code=303)
