"""The outermost layer: which hosts and bodies are let in, which headers every answer has."""

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.settings import ConsoleSettings

MOST_BODY_BYTES = 256 * 1024
# data: for Pico's chevrons and check marks.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Boundary:
    """Refuses foreign host names (DNS rebinding) and large bodies; adds the security headers."""

    def __init__(self, app: ASGIApp, settings: ConsoleSettings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = _allowed(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["secure"] = self._is_secure(scope, headers)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out.setdefault(name, value)
                out.setdefault("Cache-Control", "no-store")
                if scope["state"]["secure"]:
                    out.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        refusal = self._refusal(headers)
        if refusal:
            await refusal(scope, receive, sending)
        else:
            await self._app(scope, receive, sending)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        host = _name(headers.get("host", ""))
        if self._hosts is not None and host not in self._hosts:
            return PlainTextResponse(
                f"This console does not answer to the name {host[:100]!r}. "
                "TRAINFOLD_CONSOLE_ALLOWED_HOSTS can allow it.",
                status_code=421,
            )
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers:
            return PlainTextResponse("Say the body's length.", status_code=411)
        if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
            return PlainTextResponse("The body is too large.", status_code=413)
        return None

    def _is_secure(self, scope: Scope, headers: Headers) -> bool:
        forwarded = headers.get("x-forwarded-proto") == "https"
        return scope["scheme"] == "https" or (forwarded and is_trusted_proxy(scope, self._settings))


def is_trusted_proxy(scope: Scope, settings: ConsoleSettings) -> bool:
    """Whether the request comes straight from an address that may speak for others."""
    try:
        peer = ipaddress.ip_address(scope["client"][0])
    except (TypeError, ValueError):
        return False
    return any(peer in network for network in settings.trusted_proxies)


def _allowed(settings: ConsoleSettings) -> Collection[str] | None:
    """The names that the console answers to; None is every name."""
    named = {host.lower() for host in settings.allowed_hosts}
    if settings.is_loopback:
        return named | {"localhost", "127.0.0.1", "[::1]", _name(settings.host)}
    return named or None


def _name(host: str) -> str:
    """The Host header without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()
