"""What a database refuses ends in at most three lines, which name the remedy and no secret.

Every refusal is a real server's. Roles of the tests belong to the session's PostgreSQL.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text

from db.engine import make_engine, reading, writing
from domain.errors import (
    AccessRefused,
    DatabaseRefused,
    NotReady,
    TrainfoldError,
    Unreachable,
)
from tests.commands import run
from trainfold.stack.loopback import choose_ports

ROLE, PASSWORD = "refused_role", "s3cr3t"


@pytest.fixture(scope="module")
def role(stack) -> Iterator[str]:
    """A role that may log in, and nothing else."""
    from operations import resources  # noqa: PLC0415 - the session's, once it runs

    with resources.engine().begin() as connection:
        connection.execute(text(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA trainfold TO {ROLE}"))
        connection.execute(text(f"CREATE ROLE no_login PASSWORD '{PASSWORD}'"))
    yield ROLE
    with resources.engine().begin() as connection:
        connection.execute(text(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}; DROP ROLE no_login"))


@contextmanager
def engine_for(engine: Engine, **changes: object) -> Iterator[Engine]:
    """Connect to the session's database with another part in the address."""
    url = engine.url.set(**changes)
    other = make_engine(url.render_as_string(hide_password=False))
    try:
        yield other
    finally:
        other.dispose()


def refused(engine: Engine, sql: str = "SELECT 1", *, by=reading) -> TrainfoldError:
    """Return what a statement ends with; no line of its traceback holds the password."""
    with pytest.raises(TrainfoldError) as caught, by(engine) as connection:
        connection.execute(text(sql))
    message = str(caught.value)
    assert len(message.splitlines()) <= 3
    shown = "".join(traceback.format_exception(caught.value))
    assert (engine.url.password or PASSWORD) not in shown
    return caught.value


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"password": "wr0ng-pw"}, AccessRefused, "refuses the role “.*” or its password.*%40"),
        (
            {"username": "nobody", "password": "x-x-x"},
            AccessRefused,
            "refuses the role “nobody” or its password",
        ),
        (
            {"username": "no_login", "password": PASSWORD},
            AccessRefused,
            "role “no_login” may not log in.*ALTER ROLE",
        ),
        ({"database": "nowhere"}, NotReady, "no database “nowhere” at .*Create it"),
        ({"host": "nosuch.invalid"}, Unreachable, "no host “nosuch.invalid”.*Check the host"),
        ({"port": "free"}, Unreachable, r"nothing listens at 127\.0\.0\.1, port \d+.*Start it"),
        ({"query": {"sslmode": "require"}}, NotReady, "has no TLS.*leave sslmode out"),
        ({"query": {"sslmode": "verify-all"}}, AccessRefused, "sslmode.*Check sslmode"),
    ],
)
def test_a_connection_that_fails_says_why_and_what_to_do(engine, role, changes, kind, words):
    if changes.get("port") == "free":
        changes = {"port": choose_ports([], count=1)[0]}
    with engine_for(engine, **changes) as other:
        error = refused(other)
    assert type(error) is kind
    assert re.search(words, str(error))
    assert "Nothing was done" in str(error)


def test_a_missing_privilege_names_the_table_the_role_and_the_grant(engine, role):
    with engine_for(engine, username=role, password=PASSWORD) as other:
        error = refused(other, "SELECT * FROM trainfold.conversations")
    assert isinstance(error, AccessRefused)
    assert f"The role “{role}” may not use the table trainfold.conversations." in str(error)
    assert f"GRANT SELECT ON TABLE trainfold.conversations TO {role};" in str(error)
    assert "password" not in str(error)


def test_a_missing_privilege_to_write_asks_for_what_writing_needs(engine, role):
    with engine_for(engine, username=role, password=PASSWORD) as other:
        error = refused(other, "INSERT INTO trainfold.batch_jobs (id) VALUES (NULL)")
    assert f"GRANT SELECT, INSERT, UPDATE ON TABLE trainfold.batch_jobs TO {role};" in str(error)


def test_the_grant_that_is_named_is_enough(engine, role):
    with engine_for(engine, username=role, password=PASSWORD) as other:
        error = refused(other, "SELECT * FROM trainfold.batch_items")
        with engine.begin() as connection:
            connection.execute(text(str(error).partition("As its owner: ")[2]))
        with reading(other) as connection:
            assert connection.execute(text("SELECT * FROM trainfold.batch_items")).all() == []


def test_a_missing_privilege_on_a_schema_or_database_names_it(engine, role):
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA hidden_away; CREATE TABLE hidden_away.t ()"))
    with engine_for(engine, username=role, password=PASSWORD) as other:
        schema = refused(other, "SELECT * FROM hidden_away.t")
        database = refused(other, "CREATE SCHEMA trainfold_of_a_test")
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA hidden_away CASCADE"))
    assert f"GRANT USAGE ON SCHEMA hidden_away TO {role};" in str(schema)
    assert f"GRANT CREATE ON DATABASE trainfold TO {role};" in str(database)


def test_a_row_that_a_policy_refuses_names_the_policy_to_make(engine, role):
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE public.guarded (id int);"
                f"GRANT INSERT, SELECT ON public.guarded TO {role};"
                "ALTER TABLE public.guarded ENABLE ROW LEVEL SECURITY"
            )
        )
    with engine_for(engine, username=role, password=PASSWORD) as other:
        error = refused(other, "INSERT INTO public.guarded VALUES (1)")
        sql = str(error).partition("owner: ")[2]
        with engine.begin() as connection:
            connection.execute(text(sql))
        with writing(other) as connection:
            connection.execute(text("INSERT INTO public.guarded VALUES (1)"))
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE public.guarded"))
    assert "Row level security of public.guarded refuses a row" in str(error)


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        (
            "SET TRANSACTION READ ONLY; CREATE TABLE t ()",
            DatabaseRefused,
            "read-only: a replica.*default_transaction_read_only",
        ),
        ("SELECT 'x'::uuid", DatabaseRefused, "cannot take a value .*uuid.*Correct it"),
        ("SELECT convert_from('\\xff', 'UTF8')", DatabaseRefused, "cannot take a value.*UTF-8"),
        ("EXECUTE nothing", DatabaseRefused, "mixed up prepared statements.*one of its own"),
        ("PREPARE a AS SELECT 1; PREPARE a AS SELECT 1", DatabaseRefused, "mixed up prepared"),
        ("SET statement_timeout = 50; SELECT pg_sleep(9)", Unreachable, "statement_timeout"),
        ("SELECT * FROM nowhere", NotReady, "lacks a table or column.*trainfold migrate"),
        ("SELECT nothing FROM trainfold.conversations", NotReady, "lacks a table or column"),
        ("SELECT gen_random_uuid() = 'x'::text", NotReady, "has a type that trainfold cannot"),
        ("DO $$ BEGIN RAISE disk_full; END $$", Unreachable, "disk is full.*Make room"),
        ("DO $$ BEGIN RAISE too_many_connections; END $$", Unreachable, "no connection left"),
        ("SELEC", DatabaseRefused, "refuses a statement: syntax error"),
    ],
)
@pytest.mark.parametrize("by", [reading, writing])
def test_a_statement_that_is_refused_ends_in_words(engine, sql, kind, words, by):
    with engine_for(engine) as other:
        error = refused(other, sql, by=by)
    assert type(error) is kind
    assert re.search(words, str(error))


def test_a_database_that_is_read_only_is_named_so_by_a_command(engine, monkeypatch, tmp_path):
    name = "read_only_database"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    url = engine.url.set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", url)
    ran = run("migrate")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    assert ran.code == 1
    assert "The database is read-only" in ran.err
    assert len(ran.err.strip().splitlines()) <= 3


def test_a_server_without_a_free_connection_says_so(engine, role):
    with engine.begin() as connection:
        connection.execute(text(f"ALTER ROLE {role} CONNECTION LIMIT 0"))
    try:
        with engine_for(engine, username=role, password=PASSWORD) as other:
            error = refused(other)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"ALTER ROLE {role} CONNECTION LIMIT -1"))
    assert isinstance(error, Unreachable)
    assert f"no connection left for “{role}”" in str(error)
