"""The schema's revision, read without Alembic, whose import takes longer than most commands."""

from pathlib import Path

from sqlalchemy import Connection, text

from db.own_schema import statements_to_close
from db.schema import VERSION_TABLE, quoted
from db.schemas import schemas_of

MIGRATIONS = Path(__file__).parent / "migrations" / "versions"


def is_up_to_date(connection: Connection) -> bool:
    """Tell whether a migration would change nothing, and end the transaction."""
    is_current = revision(connection) == head() and not statements_to_close(connection)
    connection.rollback()
    return is_current


def revision(connection: Connection) -> str | None:
    """Return the revision that the database's schema is at; None without a schema."""
    own = schemas_of(connection).own
    # The catalogue is open to all; to_regclass demands a right on the schema.
    query = text("SELECT FROM pg_catalog.pg_tables WHERE schemaname = :own AND tablename = :name")
    if connection.execute(query, {"own": own, "name": VERSION_TABLE}).first() is None:
        return None
    found: str | None = connection.execute(
        text(f"SELECT version_num FROM {quoted(own)}.{quoted(VERSION_TABLE)}")  # noqa: S608
    ).scalar_one_or_none()
    return found


def head() -> str:
    """Return the newest revision that this code has: its file's name begins with it."""
    return max(path.name[:4] for path in MIGRATIONS.glob("[0-9]*.py"))
