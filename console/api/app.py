"""The API as an ASGI application, which the console mounts, and its OpenAPI description."""

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from console.api import conversations, exports, file_life, plans, requests, training_files
from console.api.errors import handle_errors
from console.context import ConsoleContext
from console.problems import API_ROOT, MEDIA_TYPE
from trainfold import __version__

PATH = API_ROOT.rstrip("/")
DESCRIPTION = """\
Folds enriched conversations into versioned training files.

List the training files, check a selection of conversations, add them, follow the request by its
id, and download the version that it made. Whatever does not succeed is answered with problem
details (RFC 9457).
"""


class Api(FastAPI):
    """FastAPI, whose description gives errors the media type that they have."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            for operations in super().openapi()["paths"].values():
                for operation in operations.values():
                    _describe_problems(operation["responses"])
        assert self.openapi_schema is not None  # noqa: S101 - FastAPI has set it
        return self.openapi_schema


class HeadMiddleware:
    """Answers HEAD as GET; the web server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def create_api(context: ConsoleContext) -> FastAPI:
    """Build the application. Its description needs no token, everything else does."""
    api = Api(
        title="trainfold",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.context = context
    for part in (training_files, exports, file_life, requests, plans, conversations):
        api.include_router(part.router)
    handle_errors(api)
    api.add_middleware(HeadMiddleware)
    return api


def _describe_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= 400:  # noqa: PLR2004 - client and server errors
            response["content"] = {MEDIA_TYPE: response["content"].pop("application/json")}
