"""A browser's session and selection, in signed cookies; sent only when they have changed.

Sent with every answer, a slow one could bring an old selection back.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.versions.requests import MAX_CONVERSATIONS

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    user: str | None = None
    mark: str | None = None
    """Of the user's password (`Users.mark`)."""
    note: str | None = None
    """What the next page tells once."""


def new_session(user: str | None = None, mark: str | None = None) -> Session:
    return Session(id=secrets.token_urlsafe(24), user=user, mark=mark)


@dataclass(slots=True)
class State:
    """What the browser holds, and will hold after this answer."""

    session: Session
    selection: tuple[UUID, ...]


def state(request: Request) -> State:
    found: State = request.state.cookies
    return found


class Cookies:
    """Reads and writes the two cookies."""

    def __init__(self, secret: str, lifetime: timedelta) -> None:
        # Cookies are the same for all ports of a host; two consoles must not share them.
        suffix = hashlib.sha256(f"name {secret}".encode()).hexdigest()[:8]
        self.session_name = f"trainfold-session-{suffix}"
        self.selection_name = f"trainfold-selection-{suffix}"
        self._sessions = URLSafeTimedSerializer(secret, salt="session")
        self._selections = TimestampSigner(secret, salt="selection")
        self._forms = hmac.new(secret.encode(), b"forms", hashlib.sha256).digest()
        self._seconds = int(lifetime.total_seconds())

    def read(self, scope: Scope) -> tuple[State, bool]:
        """What the browser sent, or a new session; and whether it had a valid one."""
        sent = _cookies(scope)
        session = self._session(sent.get(self.session_name, ""))
        selection = self._selection(sent.get(self.selection_name, ""))
        return State(session or new_session(), selection), session is not None

    def form_token(self, session: Session) -> str:
        """What a form of this session must carry."""
        return hmac.new(self._forms, session.id.encode(), hashlib.sha256).hexdigest()

    def session_header(self, session: Session, *, secure: bool) -> str:
        value = self._sessions.dumps([session.id, session.user, session.mark, session.note])
        return self._header(self.session_name, str(value), secure=secure)

    def selection_header(self, selection: Sequence[UUID], *, secure: bool) -> str:
        raw = urlsafe_b64encode(b"".join(id.bytes for id in selection))
        value = self._selections.sign(raw).decode()
        return self._header(self.selection_name, value, secure=secure)

    def _header(self, name: str, value: str, *, secure: bool) -> str:
        # Lax: a link to a run, opened from elsewhere, finds its reader logged in.
        parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        parts += [f"Max-Age={self._seconds}", *(["Secure"] if secure else [])]
        return "; ".join(parts)

    def _session(self, value: str) -> Session | None:
        try:
            id, user, mark, note = self._sessions.loads(value, max_age=self._seconds)
        except (BadData, ValueError, TypeError):
            return None
        return Session(id=id, user=user, mark=mark, note=note)

    def _selection(self, value: str) -> tuple[UUID, ...]:
        try:
            raw = urlsafe_b64decode(self._selections.unsign(value, max_age=self._seconds))
        except (BadData, ValueError):
            return ()
        pieces = [raw[at : at + ID_BYTES] for at in range(0, len(raw), ID_BYTES)]
        return tuple(UUID(bytes=piece) for piece in pieces)[:MAX_CONVERSATIONS]


class CookieMiddleware:
    """Puts the cookies' content into `request.state.cookies`, and sends what changed in it."""

    def __init__(self, app: ASGIApp, cookies: Cookies) -> None:
        self._app = app
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        state, known = self._cookies.read(scope)
        before = replace(state) if known else None
        selected = state.selection
        scope.setdefault("state", {})["cookies"] = state
        secure = bool(scope["state"].get("secure"))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if before is None or before.session != state.session:
                    header = self._cookies.session_header(state.session, secure=secure)
                    headers.append("Set-Cookie", header)
                if selected != state.selection:
                    header = self._cookies.selection_header(state.selection, secure=secure)
                    headers.append("Set-Cookie", header)
            await send(message)

        await self._app(scope, receive, sending)


def _cookies(scope: Scope) -> dict[str, Any]:
    jar = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                continue
    return {name: morsel.value for name, morsel in jar.items()}
