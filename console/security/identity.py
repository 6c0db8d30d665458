"""Identifies visitors: as this machine's user, by a trusted proxy's header, or by a session that
signing in or the console's key made.
"""

import getpass
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from console.security.boundary import is_trusted_proxy
from console.security.sessions import Session, browser_state, new_session
from console.security.users import Users, read_users
from console.settings import ConsoleSettings

MAX_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Visitor:
    name: str
    """Recorded on the versions that the visitor makes."""
    can_sign_out: bool = False


class NotSignedIn(Exception):
    """The visitor is unknown; the sign-in page may help."""


class NotAllowed(Exception):
    """The request did not come the way that the settings demand."""


class Identity(Protocol):
    def visitor(self, request: Request) -> Visitor:
        """Return who sent the request; raise NotSignedIn or NotAllowed."""


class KeyIdentity:
    """Whoever has the key is the user who runs the console; loopback is open to other users."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._fingerprint = hashlib.sha256(self._key).hexdigest()[:16]

    def visitor(self, request: Request) -> Visitor:
        session = browser_state(request).session
        if session.user is None or session.password_fingerprint != self._fingerprint:
            raise NotSignedIn
        return Visitor(session.user, can_sign_out=True)

    def enter(self, key: str) -> Session | None:
        """Return the session of a visitor with this key; None if it is not the console's."""
        if not hmac.compare_digest(key.encode(), self._key):
            return None
        return new_session(_owner(), self._fingerprint)


class ProxyIdentity:
    """A proxy in front authenticates users and sends their names in a header."""

    def __init__(self, settings: ConsoleSettings, header: str) -> None:
        self._settings = settings
        self._header = header

    def visitor(self, request: Request) -> Visitor:
        names = request.headers.getlist(self._header)
        if not is_trusted_proxy(request.scope, self._settings):
            raise NotAllowed("This console can be reached through its proxy only.")
        if len(names) != 1 or not names[0].strip() or not names[0].isprintable():
            raise NotAllowed(f"The proxy did not send a user's name ({self._header}).")
        return Visitor(names[0].strip()[:MAX_NAME_LENGTH])


class SignedInIdentity:
    """A user of the users file, by the session that signing in made."""

    def __init__(self, users: Users) -> None:
        self.users = users

    def visitor(self, request: Request) -> Visitor:
        session = browser_state(request).session
        if session.user is None:
            raise NotSignedIn
        if self.users.password_fingerprint(session.user) != session.password_fingerprint:
            raise NotSignedIn
        return Visitor(session.user, can_sign_out=True)


def identity_for(settings: ConsoleSettings) -> Identity:
    """Return the kind of identity that the settings choose; raise NotReady if they are unsafe."""
    settings.require_authentication()
    if settings.users_file:
        return SignedInIdentity(read_users(settings.users_file))
    if settings.proxy_header:
        return ProxyIdentity(settings, settings.proxy_header)
    return KeyIdentity(settings.key.get_secret_value() if settings.key else secrets.token_hex(32))


def _owner() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
