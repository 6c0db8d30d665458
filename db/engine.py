"""The connection to PostgreSQL, safe behind a pooler in transaction mode."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from db.schema import DEFAULT_SCHEMA
from db.schemas import OPTION, Schemas, schemas_of
from domain.errors import (
    AccessRefused,
    CommitOutcomeUnknown,
    DatabaseRefused,
    NotReady,
    TrainfoldError,
    Unreachable,
)

MAX_SECONDS = 150
"""One use of a connection may take so long: more than any statement_timeout that is set."""

UNDEFINED_TABLE = "42P01"
UNDEFINED_COLUMN = "42703"
REFUSED = (
    psycopg.errors.InvalidPassword,
    psycopg.errors.InvalidAuthorizationSpecification,
)


def make_engine(
    url: str, *, schema: str = DEFAULT_SCHEMA, source_schema: str | None = None
) -> Engine:
    """Make an engine that connects when it is first used; the driver is always psycopg.

    Own tables are in `schema`. Source tables are read in `source_schema`; without one in `public`
    if it has conversations, otherwise in `schema`.
    """
    _, separator, rest = url.partition("://")
    return create_engine(
        f"postgresql+psycopg{separator}{rest}",
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": 10,
            # A peer that vanished without a word is noticed in a minute, not in hours.
            "keepalives_idle": 20,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
        },
        pool_size=4,
        pool_pre_ping=True,
        pool_recycle=300,
        # Row values and passwords stay out of error messages and logs.
        hide_parameters=True,
        execution_options={
            "schema_translate_map": {DEFAULT_SCHEMA: schema},
            OPTION: Schemas(own=schema, source=source_schema),
        },
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection for queries; the driver's errors become ours."""
    with _own_errors(engine), engine.connect() as connection, _ended_in_time(connection):
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open one transaction that gives up rather than wait for ever.

    Raises CommitOutcomeUnknown when the connection dies in the commit itself; before that, an
    error means that nothing was written.
    """
    with _own_errors(engine), engine.connect() as connection, _ended_in_time(connection):
        transaction = connection.begin()
        connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        connection.execute(text("SET LOCAL statement_timeout = '60s'"))
        yield connection
        try:
            transaction.commit()
        except (OperationalError, InterfaceError) as error:
            raise CommitOutcomeUnknown(
                f"The connection to the database died while committing: {_first_line(error)}. "
                "The request id tells whether the change was made: run the same request again."
            ) from error


@contextmanager
def _ended_in_time(connection: Connection) -> Iterator[None]:
    """Close the connection to a server that is there and never answers.

    The server's own time-outs cannot reach us then. The driver raises OperationalError, as for any
    connection that dies.
    """
    raw = connection.connection.driver_connection
    timer = threading.Timer(MAX_SECONDS, _shut_down, [raw])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(raw: Any) -> None:
    with suppress(OSError, psycopg.Error):
        duplicate = socket.socket(fileno=os.dup(raw.fileno()))
        with closing(duplicate):
            duplicate.shutdown(socket.SHUT_RDWR)


def current_time(connection: Connection) -> datetime:
    """Read the database's clock, the one clock that all writers share."""
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment


@contextmanager
def _own_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if _is_undefined(error):
            schemas_of(engine).forget()
        raise _translated(error) from error


def _is_undefined(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in (UNDEFINED_TABLE, UNDEFINED_COLUMN)


def _translated(error: DBAPIError) -> TrainfoldError:
    if _is_undefined(error):
        return NotReady(
            f"The database lacks a table or column that trainfold needs ({_first_line(error)}). "
            "Nothing was changed. Run `trainfold migrate` with TRAINFOLD_DATABASE_URL set."
        )
    if isinstance(error.orig, REFUSED) or "password authentication failed" in str(error.orig):
        return AccessRefused(
            "The database refuses the user or the password. Check TRAINFOLD_DATABASE_URL."
        )
    if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return AccessRefused(
            f"The database does not let this user do that: {_first_line(error)}. Nothing was "
            "changed by it. docs/configuration.md lists the rights that the user needs."
        )
    if isinstance(error, OperationalError):
        return Unreachable(f"The database does not answer: {_first_line(error)}")
    return DatabaseRefused(
        f"The database refuses a statement: {_first_line(error)}. Nothing was changed by it.",
        getattr(getattr(error.orig, "diag", None), "constraint_name", None),
    )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
