"""Tokens with which applications use the HTTP API: create, list, revoke, authenticate.

The database has a SHA-256 of each secret. A secret is 256 random bits, which nobody guesses from a
digest however quick it is to compute; argon2 is for what people choose, and would cost every
request tens of milliseconds and 64 MiB.
"""

import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Engine

from db.api_tokens import (
    ApiToken,
    find_api_token,
    insert_api_token,
    list_api_tokens,
    record_use,
    revoke_api_token,
)
from db.engine import current_time, reading, writing
from domain.errors import Blocked, DatabaseRefused, NotFound
from domain.findings import Reason
from domain.versions.naming import name_problem, normal_name

ID_BYTES, SECRET_BYTES = 6, 32
USE_PRECISION = timedelta(minutes=1)
"""Requests within it do not write `last_used_at` again."""
TOKEN = re.compile(rf"trainfold_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")


def create_token(engine: Engine, name: str, *, created_by: str) -> tuple[ApiToken, str]:
    """Create a token; return its row and its text, which is not stored and cannot be shown again.

    Raises Blocked where the name is malformed, or an active token has it.
    """
    name = normal_name(name)
    if problem := name_problem(name):
        raise Blocked([Reason(code="bad-name", reason=f"Not a name for a token: {problem}.")])
    id, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    try:
        with writing(engine) as connection:
            token = ApiToken(
                id=id,
                name=name,
                secret_sha256=_digest(secret),
                created_at=current_time(connection),
                created_by=created_by,
            )
            insert_api_token(connection, token)
    except DatabaseRefused as refused:
        if refused.constraint != "uq_api_tokens_name":
            raise
        reason = f"A token “{name}” exists already; revoke it, or choose another name."
        raise Blocked([Reason(code="name-taken", reason=reason)]) from refused
    return token, f"trainfold_{id}_{secret}"


def list_tokens(engine: Engine) -> list[ApiToken]:
    """List all tokens by name, revoked ones included."""
    with reading(engine) as connection:
        return list_api_tokens(connection)


def revoke_token(engine: Engine, name: str) -> None:
    """End the active token of this name at once; raise NotFound where there is none."""
    with writing(engine) as connection:
        if not revoke_api_token(connection, normal_name(name)):
            raise NotFound(
                f"There is no active token “{normal_name(name)}”. Nothing was changed. "
                "`trainfold api-token list` lists the tokens."
            )


def authenticate(engine: Engine, text: str) -> ApiToken | None:
    """Return the token whose text this is and record its use; None where it is not valid."""
    parts = TOKEN.fullmatch(text)
    if parts is None:
        return None
    id, secret = parts.groups()
    with reading(engine) as connection:
        token = find_api_token(connection, id)
    if token is None or not hmac.compare_digest(_digest(secret), token.secret_sha256):
        return None
    if token.last_used_at is None or datetime.now(UTC) - token.last_used_at > USE_PRECISION:
        with writing(engine) as connection:
            record_use(connection, token, precision=USE_PRECISION)
    return token


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
