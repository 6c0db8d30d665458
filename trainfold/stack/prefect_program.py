"""The program of the stack's Prefect server: `python -m trainfold.stack.prefect_program HOST PORT`.

It does what `prefect server start` does, and refuses foreign host names, for which Prefect has no
setting: a page of a name that is made to resolve to loopback counts as the server's own (DNS
rebinding).
"""

import sys
from collections.abc import Collection

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from trainfold.stack.loopback import LOOPBACK_NAMES, host_name
from trainfold.stack.options import is_loopback

IN_PROCESS = "prefect-in-memory"
"""What Prefect's automations call the server's API, which they use without a connection."""


class HostMiddleware:
    """Answers requests and web sockets of these host names only, and those of its own process."""

    def __init__(self, app: ASGIApp, allowed_names: Collection[str]) -> None:
        self._app = app
        self._allowed_names = allowed_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] in {"http", "websocket"} and not _is_own(scope):
            name = host_name(Headers(scope=scope).get("host", ""))
            if name not in self._allowed_names:
                app = PlainTextResponse(
                    f"This Prefect server does not answer to the host name {name[:100]!r}, only to "
                    f"{', '.join(sorted(self._allowed_names))}. TRAINFOLD_PREFECT_HOST can make "
                    "it listen elsewhere.",
                    status_code=421,
                )
        await app(scope, receive, send)


def _is_own(scope: Scope) -> bool:
    """Tell whether a request came over no connection: those have the address that took them."""
    address, _ = scope.get("server") or ("", None)
    return bool(address == IN_PROCESS)


def main(host: str, port: int) -> None:
    """Serve until SIGTERM."""
    app = create_app(final=True)
    if is_loopback(host):
        app.add_middleware(HostMiddleware, allowed_names={*LOOPBACK_NAMES, host_name(host)})
    settings = get_current_settings().server
    uvicorn.run(
        app,
        host=host,
        port=port,
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        log_level=settings.logging_level.lower(),
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
