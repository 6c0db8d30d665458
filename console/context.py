"""What the pages of one console share."""

import os
from dataclasses import dataclass, field
from functools import cache

from jinja2 import Environment
from starlette.requests import Request

from console.kept import Kept
from console.security.identity import Identity, Visitor
from console.security.sessions import Cookies
from console.security.throttle import Throttle
from console.settings import ConsoleSettings
from db.search_terms import KnownKeys, KnownNames, read_known_keys, read_known_names
from domain.errors import NotReady
from tasks import resources
from trainfold.submission import Runs


@dataclass(frozen=True, slots=True)
class Console:
    settings: ConsoleSettings
    cookies: Cookies
    identity: Identity
    templates: Environment
    throttle: Throttle = field(default_factory=Throttle)
    known_keys: Kept[KnownKeys] = field(default_factory=lambda: Kept(read_known_keys))
    known_names: Kept[KnownNames] = field(default_factory=lambda: Kept(read_known_names))


def console(request: Request) -> Console:
    found: Console = request.app.state.console
    return found


def visitor(request: Request) -> Visitor:
    """Who asks; raises NotSignedIn or NotLetIn."""
    return console(request).identity.visitor(request)


def runs() -> Runs:
    """The Prefect server's runs; raises NotReady when none is configured."""
    settings = resources.settings()
    url = os.environ.get("PREFECT_API_URL") or settings.prefect_api_url
    if url is None:
        raise NotReady(
            "No Prefect server is configured and the local stack's is not running, so nothing can "
            "be submitted or followed. Run `trainfold up`, or set TRAINFOLD_PREFECT_API_URL."
        )
    auth = settings.prefect_auth.get_secret_value() if settings.prefect_auth else None
    return _runs(url, auth)


@cache
def _runs(api_url: str, auth: str | None) -> Runs:
    return Runs(api_url, auth=auth)
