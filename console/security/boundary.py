"""The outermost layer: refuses host names and bodies, and adds headers to every response."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.problems import API_ROOT, problem_response
from console.settings import ConsoleSettings
from trainfold.stack.loopback import LOOPBACK_NAMES, host_name

MAX_BODY_BYTES = 256 * 1024
# Pico's chevrons and check marks are data: URLs.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    detail: str

    def response(self, scope: Scope) -> Response:
        if scope["path"].startswith(API_ROOT):
            return problem_response(self.status, self.detail)
        return PlainTextResponse(self.detail, status_code=self.status)


class BoundaryMiddleware:
    """Refuses foreign host names (DNS rebinding) and large bodies; adds the security headers."""

    def __init__(self, app: ASGIApp, settings: ConsoleSettings) -> None:
        self._app = app
        self._settings = settings
        self._allowed_hosts = _allowed_hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["secure"] = self._is_secure(scope, headers)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                response_headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    response_headers.setdefault(name, value)
                response_headers.setdefault("Cache-Control", "no-store")
                if scope["state"]["secure"]:
                    response_headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        refusal = self._refused_host(headers) or _refused_body(headers)
        answer = refusal.response(scope) if refusal else self._app
        await answer(scope, receive, send_with_headers)

    def _refused_host(self, headers: Headers) -> Refusal | None:
        # Starlette's TrustedHostMiddleware answers 400 “Invalid host header”. 421 is the status for
        # this case, and an operator has to read which name was refused and what allows it.
        host = host_name(headers.get("host", ""))
        if self._allowed_hosts is None or host in self._allowed_hosts:
            return None
        return Refusal(
            421,
            f"This console does not answer to the host name {host[:100]!r}. "
            "TRAINFOLD_CONSOLE_ALLOWED_HOSTS can allow it.",
        )

    def _is_secure(self, scope: Scope, headers: Headers) -> bool:
        forwarded = headers.get("x-forwarded-proto") == "https"
        return scope["scheme"] == "https" or (forwarded and is_trusted_proxy(scope, self._settings))


def is_trusted_proxy(scope: Scope, settings: ConsoleSettings) -> bool:
    """Return whether the request comes straight from a proxy whose headers are believed."""
    client = scope["client"]
    return client is not None and _is_proxy(client[0], settings)


def client_address(request: Request, settings: ConsoleSettings) -> str:
    """Return where a request comes from: past the proxies that the settings name, if any.

    Loopback is a trusted proxy by default, but any user of the machine can send from there, so
    its word on the address counts only where an operator named the proxies.
    """
    peer = request.client.host if request.client else ""
    if "trusted_proxies" not in settings.model_fields_set:
        return peer
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    # Each proxy appends whom it saw, so what is left of the first stranger is the stranger's word.
    for address in (peer, *reversed([hop.strip() for hop in forwarded.split(",") if hop.strip()])):
        if not _is_proxy(address, settings):
            return address
    return peer


def _is_proxy(address: str, settings: ConsoleSettings) -> bool:
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(host in network for network in settings.trusted_proxies)


def _refused_body(headers: Headers) -> Refusal | None:
    # Starlette's RequestBodyLimitMiddleware accepts bodies of unknown length and counts them while
    # a page reads them. Browsers send a form's length, so a refusal need not call a page first.
    if "transfer-encoding" in headers:
        return Refusal(411, "A body needs a Content-Length.")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        return Refusal(413, "The body is too large.")
    return None


def _allowed_hosts(settings: ConsoleSettings) -> Collection[str] | None:
    """Return the host names that the console answers to; None where it answers to all."""
    configured = {host.lower() for host in settings.allowed_hosts}
    if settings.is_loopback:
        return configured | LOOPBACK_NAMES | {host_name(settings.host)}
    return configured or None
