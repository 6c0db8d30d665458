"""Who sends a request: the application whose token it carries. Cookies do not count here."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from console.context import console_context
from db.api_tokens import ApiToken
from operations import api_tokens, resources

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="`Authorization: Bearer <token>`; `trainfold api-token create NAME` makes a token.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def authenticate(request: Request, credentials: Credentials) -> ApiToken:
    """Return the token of the request; raise 401 without a valid one, 429 if it asks too often."""
    text = credentials.credentials if credentials else ""
    token = api_tokens.authenticate(resources.engine(), text)
    if token is None:
        raise HTTPException(
            401,
            "The request has no valid token. Send `Authorization: Bearer <token>`; "
            "`trainfold api-token create NAME` makes one.",
            {"WWW-Authenticate": 'Bearer realm="trainfold"'},
        )
    if seconds := console_context(request).rate_limit.take(token.id):
        raise HTTPException(
            429,
            f"The token “{token.name}” sends more requests than it may. "
            f"Go on in {seconds} s; TRAINFOLD_CONSOLE_API_REQUESTS_PER_MINUTE sets the limit.",
            {"Retry-After": str(seconds)},
        )
    return token


def require_json(request: Request) -> None:
    """Raise 415 unless the body says that it is JSON."""
    media_type, _, _ = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json":
        raise HTTPException(415, "Send the body as JSON, with `Content-Type: application/json`.")


Caller = Annotated[ApiToken, Security(authenticate)]
AUTHENTICATED = Security(authenticate)
JSON_BODY = Depends(require_json)
