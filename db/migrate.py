"""Bring the schema to the version that this code needs, or say that it is not there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from db.engine import reading
from domain.errors import NotReady

VERSION_TABLE = "trainfold_schema_version"


def upgrade(engine: Engine) -> None:
    """Apply what is missing; a second migrator waits for the first."""
    with reading(engine) as connection:
        if _revision(connection) != _head():
            command.upgrade(_config(connection), "head")


def check_for_drift(engine: Engine) -> None:
    """Raise when the tables differ from the models (`alembic check`)."""
    with reading(engine) as connection:
        command.check(_config(connection))


def require_current(engine: Engine) -> None:
    """Raise NotReady unless the schema is the one that this code needs."""
    with reading(engine) as connection:
        found, needed = _revision(connection), _head()
    if found != needed:
        raise NotReady(
            f"The database's schema is at {found or 'nothing'}, this trainfold needs {needed}. "
            "Nothing was changed. Run `trainfold migrate` with TRAINFOLD_DATABASE_URL set."
        )


def _revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE}
    revision = MigrationContext.configure(connection, opts=options).get_current_revision()
    connection.rollback()
    return revision


def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
