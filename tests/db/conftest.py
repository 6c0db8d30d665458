"""Databases of their own, beside the session's, with the roles of a hosted application."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from db.engine import make_engine
from operations import resources
from trainfold.stack import Stack

PASSWORD = "secret"
ROLES = """
    DO $$ BEGIN
        CREATE ROLE anon NOLOGIN;
        CREATE ROLE authenticated NOLOGIN;
        CREATE ROLE owner LOGIN PASSWORD 'secret' IN ROLE anon, authenticated;
        CREATE ROLE reader LOGIN PASSWORD 'secret';
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $$
"""


def execute(engine: Engine, statements: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(statements)


def engine_of(engine: Engine, role: str, **schemas: str) -> Engine:
    """Connect to the same database as another role."""
    url = make_url(engine.url).set(username=role, password=PASSWORD)
    return make_engine(url.render_as_string(hide_password=False), **schemas)


@pytest.fixture
def empty_database(stack: Stack) -> Iterator[Engine]:
    """The engine of a database without tables, for its superuser."""
    url = make_url(resources.settings().require_database_url())
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS empty WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE empty"))
        # The session's user has the schema's name, which would come first otherwise.
        connection.execute(text("ALTER DATABASE empty SET search_path = public"))
    engine = make_engine(url.set(database="empty").render_as_string(hide_password=False))
    yield engine
    engine.dispose()


@pytest.fixture
def project(empty_database: Engine) -> Engine:
    """A database as a hosted project has it: its owner is no superuser, `public` is open."""
    execute(empty_database, ROLES)
    execute(
        empty_database,
        """
        ALTER DATABASE empty OWNER TO owner;
        GRANT ALL ON SCHEMA public TO owner;
        GRANT USAGE ON SCHEMA public TO anon, authenticated;
        ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON TABLES TO anon, authenticated;
        ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON SEQUENCES TO anon, authenticated
        """,
    )
    return empty_database
