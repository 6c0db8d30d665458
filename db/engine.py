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
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.address import read_address
from db.refusals import first_line, is_undefined, translated
from db.schema import DEFAULT_SCHEMA
from db.schemas import OPTION, Schemas, schemas_of
from domain.errors import CommitOutcomeUnknown, Unreachable

MAX_SECONDS = 150
"""One use of a connection may take so long: more than any statement_timeout that is set."""
LOCK_SECONDS = 30
STATEMENT_SECONDS = 60
IDLE_SECONDS = 60
"""A writer that is frozen, or whose machine is gone, holds its locks for so long at most."""
POOL_SIZE = 4
IGNORED = "trainfold_ignored_options"
CONNECT_ARGS = {
    "prepare_threshold": None,
    "connect_timeout": 10,
    # A peer that vanished without a word is noticed in a minute, not in hours.
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""How to connect, where the address does not say otherwise."""


def make_engine(
    url: str, *, schema: str = DEFAULT_SCHEMA, source_schema: str | None = None
) -> Engine:
    """Make an engine that connects when it is first used; the driver is always psycopg.

    Own tables are in `schema`. Source tables are read in `source_schema`, or in the schema that the
    address names; without one in `public` if it has conversations, otherwise in `schema`. Raises
    NotReady if the address cannot be read.
    """
    address = read_address(url)
    return create_engine(
        address.url,
        connect_args={
            name: value for name, value in CONNECT_ARGS.items() if name not in address.url.query
        },
        pool_size=address.max_connections or POOL_SIZE,
        max_overflow=0 if address.max_connections else 10,
        pool_timeout=address.pool_timeout_seconds or 30,
        pool_pre_ping=True,
        pool_recycle=300,
        # Row values and passwords stay out of error messages and logs.
        hide_parameters=True,
        execution_options={
            "schema_translate_map": {DEFAULT_SCHEMA: schema},
            OPTION: Schemas(own=schema, source=source_schema or address.schema),
            IGNORED: address.ignored,
        },
    )


def ignored_options(engine: Engine) -> tuple[str, ...]:
    """Return the options of the address that neither libpq nor trainfold knows."""
    ignored: tuple[str, ...] = engine.get_execution_options().get(IGNORED, ())
    return ignored


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection for queries; the driver's errors become ours."""
    with _own_errors(engine), _connected(engine) as connection, _ended_in_time(connection):
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open one transaction that gives up rather than wait for ever.

    Raises CommitOutcomeUnknown when the connection dies in the commit itself; before that, an
    error means that nothing was written.
    """
    with _own_errors(engine), _connected(engine) as connection, _ended_in_time(connection):
        transaction = connection.begin()
        connection.execute(TIMEOUTS, _timeouts())
        yield connection
        try:
            transaction.commit()
        except (OperationalError, InterfaceError) as error:
            raise CommitOutcomeUnknown(
                f"The connection to the database died while committing: {first_line(error)}. "
                "The request id tells whether the change was made: run the same request again."
            ) from error


# One round trip. What is local to the transaction survives a pooler in transaction mode. The server
# notices a client that vanished by its keepalives, and one that is frozen by its idleness.
TIMEOUTS = text("""
    SELECT set_config('lock_timeout', :lock, true),
           set_config('statement_timeout', :statement, true),
           set_config('idle_in_transaction_session_timeout', :idle, true),
           set_config('tcp_keepalives_idle', '20', true),
           set_config('tcp_keepalives_interval', '10', true),
           set_config('tcp_keepalives_count', '3', true)
""")


def _timeouts() -> dict[str, str]:
    return {
        "lock": f"{LOCK_SECONDS}s",
        "statement": f"{STATEMENT_SECONDS}s",
        "idle": f"{IDLE_SECONDS}s",
    }


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OSError as error:
        # psycopg passes the system's own errors on, as when no file descriptor is left.
        raise Unreachable(f"The database cannot be reached: {error.strerror}.") from error


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
    except (DBAPIError, PoolTimeout) as error:
        if is_undefined(error):
            schemas_of(engine).forget()
        raise translated(error, engine) from error
