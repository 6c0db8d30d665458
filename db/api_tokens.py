"""Rows of the tokens that authenticate applications."""

from datetime import datetime, timedelta

from pydantic import ConfigDict, Field
from sqlalchemy import Connection, func, insert, or_, select, update

from db.schema import ApiTokenTable
from domain.frozen import FrozenModel


class ApiToken(FrozenModel):
    """A token without its secret, of which only the digest is stored."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    secret_sha256: str = Field(exclude=True, repr=False)
    created_at: datetime
    created_by: str
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


def insert_api_token(connection: Connection, token: ApiToken) -> None:
    """Store a new token; raise DatabaseRefused where an active one has its name."""
    values = {name: getattr(token, name) for name in ApiToken.model_fields}
    connection.execute(insert(ApiTokenTable), [values])


def list_api_tokens(connection: Connection) -> list[ApiToken]:
    """List all tokens by name, revoked ones included."""
    query = select(ApiTokenTable.__table__).order_by(ApiTokenTable.name, ApiTokenTable.created_at)
    return [ApiToken.model_validate(row) for row in connection.execute(query)]


def find_api_token(connection: Connection, id: str) -> ApiToken | None:
    """Return the token with this id unless it is revoked."""
    active = ApiTokenTable.revoked_at.is_(None)
    query = select(ApiTokenTable.__table__).where(ApiTokenTable.id == id, active)
    row = connection.execute(query).one_or_none()
    return None if row is None else ApiToken.model_validate(row)


def revoke_api_token(connection: Connection, name: str) -> bool:
    """Revoke the active token of this name; return whether there was one."""
    revoked = connection.execute(
        update(ApiTokenTable)
        .where(ApiTokenTable.name == name, ApiTokenTable.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return revoked.rowcount == 1


def record_use(connection: Connection, token: ApiToken, *, precision: timedelta) -> None:
    """Record that the token was used now, unless that was recorded within `precision`."""
    connection.execute(
        update(ApiTokenTable)
        .where(
            ApiTokenTable.id == token.id,
            or_(
                ApiTokenTable.last_used_at.is_(None),
                ApiTokenTable.last_used_at < func.now() - precision,
            ),
        )
        .values(last_used_at=func.now())
    )
