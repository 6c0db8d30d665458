"""A browser's session and selection, in signed cookies that are sent only when they have changed.

If every response sent them, a slow response could restore an old selection.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.problems import API_ROOT
from console.security.ended_sessions import EndedSessions
from domain.versions.requests import MAX_CONVERSATIONS

UUID_BYTES = 16
WITHOUT_COOKIES = ("/static/", API_ROOT)


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    user: str | None = None
    password_fingerprint: str | None = None
    """See `Users.password_fingerprint`."""
    note: str | None = None
    """A message that the next page shows once."""


def new_session(user: str | None = None, password_fingerprint: str | None = None) -> Session:
    return Session(secrets.token_urlsafe(24), user, password_fingerprint)


@dataclass(slots=True)
class BrowserState:
    """What the browser's cookies hold; a page changes it, and the response sends the change."""

    session: Session
    selection: tuple[UUID, ...]


def browser_state(request: Request) -> BrowserState:
    state: BrowserState = request.state.browser
    return state


class Cookies:
    """Reads and writes the two cookies."""

    def __init__(self, secret: str, lifetime: timedelta, ended: EndedSessions) -> None:
        # Browsers share cookies among all ports of a host; two consoles must not share theirs.
        suffix = hashlib.sha256(f"name {secret}".encode()).hexdigest()[:8]
        self.session_name = f"trainfold-session-{suffix}"
        self.selection_name = f"trainfold-selection-{suffix}"
        self._sessions = URLSafeTimedSerializer(secret, salt="session")
        self._selections = TimestampSigner(secret, salt="selection")
        self._form_key = hmac.new(secret.encode(), b"forms", hashlib.sha256).digest()
        self._max_age_seconds = int(lifetime.total_seconds())
        self._ended = ended

    def read(self, scope: Scope) -> tuple[BrowserState, bool]:
        """Return what the browser sent, and whether its session is valid; if not, it is new."""
        # At another application's malformed cookie on this host, `SimpleCookie` would drop all.
        cookies = HTTPConnection(scope).cookies
        session = self._session(cookies.get(self.session_name, ""))
        selection = self._selection(cookies.get(self.selection_name, ""))
        return BrowserState(session or new_session(), selection), session is not None

    def end(self, session: Session) -> None:
        """Refuse the session from now on, whoever still has its cookie."""
        self._ended.add(session.id)

    def form_token(self, session: Session) -> str:
        """Return the token that this session's forms carry."""
        return hmac.new(self._form_key, session.id.encode(), hashlib.sha256).hexdigest()

    def session_header(self, session: Session, *, secure: bool) -> str:
        fields = [session.id, session.user, session.password_fingerprint, session.note]
        return self._header(self.session_name, str(self._sessions.dumps(fields)), secure=secure)

    def selection_header(self, selection: Sequence[UUID], *, secure: bool) -> str:
        encoded = urlsafe_b64encode(b"".join(id.bytes for id in selection))
        value = self._selections.sign(encoded).decode()
        return self._header(self.selection_name, value, secure=secure)

    def _header(self, name: str, value: str, *, secure: bool) -> str:
        # Lax: whoever follows a link to a run from elsewhere is signed in there.
        attributes = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        attributes += [f"Max-Age={self._max_age_seconds}", *(["Secure"] if secure else [])]
        return "; ".join(attributes)

    def _session(self, value: str) -> Session | None:
        try:
            id, user, fingerprint, note = self._sessions.loads(value, self._max_age_seconds)
        except (BadData, ValueError, TypeError):
            return None
        return None if id in self._ended else Session(id, user, fingerprint, note)

    def _selection(self, value: str) -> tuple[UUID, ...]:
        try:
            encoded = self._selections.unsign(value, self._max_age_seconds)
            content = urlsafe_b64decode(encoded)
        except (BadData, ValueError):
            return ()
        starts = range(0, len(content), UUID_BYTES)
        ids = (UUID(bytes=content[start : start + UUID_BYTES]) for start in starts)
        return tuple(ids)[:MAX_CONVERSATIONS]


class CookieMiddleware:
    """Puts the cookies' content into `request.state.browser`, and sends the cookies that change."""

    def __init__(self, app: ASGIApp, cookies: Cookies) -> None:
        self._app = app
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(WITHOUT_COOKIES):
            await self._app(scope, receive, send)
            return
        state, is_known = self._cookies.read(scope)
        sent = replace(state)
        scope.setdefault("state", {})["browser"] = state
        secure = bool(scope["state"].get("secure"))
        # A form of another site comes without the cookies; a new session in the answer would
        # replace that of the browser's user.
        begins = not is_known and scope["method"] in {"GET", "HEAD"}

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if begins or sent.session != state.session:
                    header = self._cookies.session_header(state.session, secure=secure)
                    headers.append("Set-Cookie", header)
                if sent.selection != state.selection:
                    header = self._cookies.selection_header(state.selection, secure=secure)
                    headers.append("Set-Cookie", header)
            await send(message)

        await self._app(scope, receive, send_with_cookies)
