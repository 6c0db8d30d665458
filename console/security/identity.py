"""Who asks: the user of this machine, whom a trusted proxy names, or who has logged in."""

import getpass
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from console.security.boundary import is_trusted_proxy
from console.security.sessions import state
from console.security.users import Users, read_users
from console.settings import ConsoleSettings

LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Visitor:
    name: str
    """Recorded on the versions that the visitor makes."""
    can_sign_out: bool = False


class NotSignedIn(Exception):
    """Nobody has said who asks; a login page may help."""


class NotLetIn(Exception):
    """The request did not come the way that the settings ask for."""


class Identity(Protocol):
    def visitor(self, request: Request) -> Visitor:
        """Who asks; raises NotSignedIn or NotLetIn."""


class LocalUser:
    """On loopback without a password: whoever runs the console."""

    def visitor(self, request: Request) -> Visitor:  # noqa: ARG002 - the same for all
        try:
            return Visitor(getpass.getuser())
        except (KeyError, OSError):
            return Visitor("unknown")


class NamedByProxy:
    """A proxy in front has checked who it is, and says so in a header."""

    def __init__(self, settings: ConsoleSettings, header: str) -> None:
        self._settings = settings
        self._header = header

    def visitor(self, request: Request) -> Visitor:
        names = request.headers.getlist(self._header)
        if not is_trusted_proxy(request.scope, self._settings):
            raise NotLetIn("This console is reached through its proxy only.")
        if len(names) != 1 or not names[0].strip() or not names[0].isprintable():
            raise NotLetIn(f"The proxy did not say who asks ({self._header}).")
        return Visitor(names[0].strip()[:LONGEST_NAME])


class LoggedIn:
    """A user of the users file, by the session that a login made."""

    def __init__(self, users: Users) -> None:
        self.users = users

    def visitor(self, request: Request) -> Visitor:
        session = state(request).session
        if session.user is None or self.users.mark(session.user) != session.mark:
            raise NotSignedIn
        return Visitor(session.user, can_sign_out=True)


def identity(settings: ConsoleSettings) -> Identity:
    """The one way that the settings ask for; raises NotReady where they are not enough."""
    settings.require_authentication()
    if settings.users_file:
        return LoggedIn(read_users(settings.users_file))
    if settings.proxy_header:
        return NamedByProxy(settings, settings.proxy_header)
    return LocalUser()
