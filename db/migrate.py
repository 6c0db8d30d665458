"""Bring the schema to the version that this code needs, or say that it is not there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from db.engine import reading
from db.own_schema import close_schema, create_schema
from db.relocation import move_from_public
from db.revision import head, is_up_to_date, revision
from db.schemas import schemas_of
from domain.errors import NotReady

MIGRATION_LOCK = 7_203_115_001
"""Any constant; two migrators of one database must agree on it."""


def upgrade(engine: Engine) -> None:
    """Apply what is missing in one transaction; a second migrator waits for the first."""
    with reading(engine) as connection:
        if is_up_to_date(connection):
            return
        with connection.begin():
            # Transaction-level, as a pooler in transaction mode breaks anything that outlives it.
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text("SET LOCAL statement_timeout = '120s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            create_schema(connection)
            move_from_public(connection)
            command.upgrade(_config(connection), "head")
            close_schema(connection)
        schemas_of(engine).forget()


def check_for_drift(engine: Engine) -> None:
    """Raise when the tables differ from the models (`alembic check`)."""
    with reading(engine) as connection:
        command.check(_config(connection))


def require_current(engine: Engine) -> None:
    """Raise NotReady unless the schema is the one that this code needs."""
    with reading(engine) as connection:
        current_revision(connection)


def current_revision(connection: Connection) -> str:
    """Return the schema's revision; raise NotReady unless it is the one that this code needs."""
    found, needed = revision(connection), head()
    connection.rollback()
    if found is None or found != needed:
        raise NotReady(
            f"The database's schema is at {found or 'nothing'}, this trainfold needs {needed}. "
            "Nothing was changed. Run `trainfold migrate` with TRAINFOLD_DATABASE_URL set."
        )
    return found


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
