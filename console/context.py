"""Resources that the pages of one console share."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from jinja2 import Environment
from starlette.requests import Request

from console.conversation_cache import ConversationCache
from console.security.identity import Identity
from console.security.rate_limit import RateLimit
from console.security.sessions import Cookies
from console.security.throttle import Throttle
from console.settings import ConsoleSettings
from db.search_terms import KnownKeys, KnownNames, read_known_keys, read_known_names
from domain.errors import NotReady
from operations import resources
from trainfold.prefect_http.runs import Runs

SUBMISSION_PATIENCE = timedelta(minutes=1)
"""Shorter than a client's or a proxy's; a submission may be repeated under its request id."""


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    settings: ConsoleSettings
    cookies: Cookies
    identity: Identity
    templates: Environment
    rate_limit: RateLimit
    throttle: Throttle = field(default_factory=Throttle)
    known_keys: ConversationCache[KnownKeys] = field(
        default_factory=lambda: ConversationCache(read_known_keys)
    )
    known_names: ConversationCache[KnownNames] = field(
        default_factory=lambda: ConversationCache(read_known_names)
    )


def console_context(request: Request) -> ConsoleContext:
    context: ConsoleContext = request.app.state.context
    return context


def runs(*, patience: timedelta = timedelta()) -> Runs:
    """Return the Prefect server's runs; raise NotReady when no server is configured.

    A page shows a busy server after some seconds; a submission waits for longer.
    """
    settings = resources.settings()
    url = os.environ.get("PREFECT_API_URL") or settings.prefect_api_url
    if url is None:
        raise NotReady(
            "No Prefect server is configured and the local stack's is not running, so nothing can "
            "be submitted or followed. Run `trainfold up`, or set TRAINFOLD_PREFECT_API_URL."
        )
    # `trainfold console` becomes the console with Prefect's own variables for the local server.
    own = settings.prefect_auth.get_secret_value() if settings.prefect_auth else None
    return _runs(url, os.environ.get("PREFECT_API_AUTH_STRING") or own, patience)


@cache
def _runs(api_url: str, auth: str | None, patience: timedelta) -> Runs:
    return Runs(api_url, auth=auth, patience=patience)
