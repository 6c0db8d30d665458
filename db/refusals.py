"""What PostgreSQL and the poolers in front of it refuse, in the words of an operator.

libpq gives a failed connection no SQLSTATE, so what a server said is recognised by its text. No
message holds a password, as the address was read before (`db.address`).
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.address import ENCODE, VARIABLE
from db.privileges import IMPORTING, READING, grant, policy
from domain.errors import AccessRefused, DatabaseRefused, NotReady, TrainfoldError, Unreachable

UNCHANGED = "Nothing was changed by it."
INSUFFICIENT_PRIVILEGE = "42501"


class LockedOut(Unreachable):
    """Another session keeps a lock for longer than a request waits for it."""


class _Refusal(NamedTuple):
    pattern: re.Pattern[str]
    error: type[TrainfoldError]
    words: str
    """With {role}, {host}, {port} and {database} of the address."""


def _when(pattern: str, error: type[TrainfoldError], words: str) -> _Refusal:
    return _Refusal(re.compile(pattern, re.IGNORECASE), error, words)


_CONNECTING = (
    _when(
        "tenant or user not found",
        AccessRefused,
        "The pooler at {host} knows no “{role}”. Nothing was done. Behind Supabase's pooler the "
        f"user is <role>.<project>, and the host is that of the project's region: {VARIABLE}.",
    ),
    _when(
        r"password authentication failed|sasl authentication failed|no password supplied|"
        "password authentication is required|wrong password|auth failed",
        AccessRefused,
        "The database at {host} refuses the role “{role}” or its password. Nothing was done. "
        f"Check both in {VARIABLE}, and {ENCODE}.",
    ),
    _when(
        'role ".*" does not exist|no such user',
        AccessRefused,
        "The database at {host} has no role “{role}” that may log in. Nothing was done. Name "
        f"another in {VARIABLE}, or make it: CREATE ROLE … LOGIN PASSWORD …;",
    ),
    _when(
        "is not permitted to log in",
        AccessRefused,
        "The role “{role}” may not log in. Nothing was done. As the database's administrator: "
        f"ALTER ROLE … LOGIN; or name another role in {VARIABLE}.",
    ),
    _when(
        'database ".*" does not exist|no such database',
        NotReady,
        "There is no database “{database}” at {host}. Nothing was done. "
        f"Create it, or name another in {VARIABLE}.",
    ),
    _when(
        r"pg_hba\.conf|ssl required",
        AccessRefused,
        "The database at {host} does not admit “{role}” from here: {said}. Nothing was done. "
        f"Add ?sslmode=require to {VARIABLE} if it wants TLS, or have this machine admitted.",
    ),
    _when(
        "failed to resolve host|could not translate host name",
        Unreachable,
        f"The database does not answer: there is no host “{{host}}”. Nothing was done. "
        f"Check the host in {VARIABLE}, and whether this machine's name service answers.",
    ),
    _when(
        "server does not support ssl",
        NotReady,
        "The database at {host} has no TLS, and the address asks for it. Nothing was done. Turn "
        f"it on there, or leave sslmode out of {VARIABLE}.",
    ),
    _when(
        "certificate|sslmode",
        AccessRefused,
        "TLS with the database at {host} fails: {said}. Nothing was done. Check sslmode and "
        f"sslrootcert in {VARIABLE}.",
    ),
    _when(
        "unsupported startup parameter",
        NotReady,
        "The pooler at {host} takes no start-up parameters: {said}. Nothing was done. Leave "
        f"`options` out of {VARIABLE}: trainfold needs no search_path (TRAINFOLD_DATABASE_SCHEMA).",
    ),
    _when(
        "too many (clients|connections)|remaining connection slots|no more connections allowed|"
        "max clients|maxclients|too many clients",
        Unreachable,
        "The database at {host} has no connection left for “{role}”. Nothing was done. Try again, "
        f"connect through a pooler, or lower connection_limit in {VARIABLE}.",
    ),
    _when(
        "the database system is|server login|query_wait_timeout|pgbouncer cannot connect",
        Unreachable,
        "The database does not answer: {host} is not ready ({said}). Nothing was done. "
        "Try again in a minute; its log says more.",
    ),
    _when(
        "connection refused",
        Unreachable,
        "The database does not answer: nothing listens at {host}, port {port}. Nothing was done. "
        f"Start it, or check host and port in {VARIABLE}.",
    ),
    _when(
        "timeout expired|timed out",
        Unreachable,
        "The database does not answer: {host}, port {port} is silent. Nothing was done. Check the "
        f"network, a firewall, and host and port in {VARIABLE}.",
    ),
)  # fmt: skip

_LACKING = (
    NotReady,
    "The database lacks a table or column that trainfold needs ({said}). Nothing was changed. Run "
    "`trainfold migrate` with TRAINFOLD_DATABASE_URL set; `trainfold doctor` says what is missing.",
)
_TYPE = (
    NotReady,
    "A column of the source tables has a type that trainfold cannot use ({said}). Nothing was "
    "changed. `trainfold doctor` names it.",
)
_POOLER = (
    DatabaseRefused,
    "The pooler mixed up prepared statements ({said}). Nothing was changed by this one, and "
    "trainfold prepares none: another program on the same pool does. Give trainfold one of its "
    "own, or connect to the database directly.",
)
_VALUE = (
    DatabaseRefused,
    "The database cannot take a value ({said}). Nothing was changed. Correct it in the request or "
    "in the conversation's row; the database must be encoded in UTF-8.",
)
_ANSWERED: dict[str, tuple[type[TrainfoldError], str]] = {
    "42P01": _LACKING,
    "42703": _LACKING,
    "3F000": _LACKING,
    "42883": _TYPE,
    "42804": _TYPE,
    "22P02": _VALUE,
    "22021": _VALUE,
    "22P05": _VALUE,
    "26000": _POOLER,
    "42P05": _POOLER,
    "08P01": _POOLER,
    "25006": (
        DatabaseRefused,
        "The database is read-only: a replica, or one whose default_transaction_read_only is on. "
        f"Nothing was changed. Name the primary in {VARIABLE}; a hosted database turns read-only "
        "when its disk is full.",
    ),
    "53100": (
        Unreachable,
        "The database's disk is full ({said}). Nothing was changed. Make room there; then run the "
        "same request again.",
    ),
    "53300": (
        Unreachable,
        "The database has no connection left for “{role}”. Nothing was done. Try again, connect "
        f"through a pooler, or lower connection_limit in {VARIABLE}.",
    ),
    "25P03": (
        Unreachable,
        "This process stood still in the middle of a transaction, which the database therefore "
        "undid. Nothing was changed. Run the same request again.",
    ),
    "55P03": (
        LockedOut,
        "Another session keeps a lock that this one waited for. Nothing was changed. Run the same "
        "request again when that session has ended.",
    ),
    "57014": (
        Unreachable,
        "The database ended a statement that took too long (statement_timeout). Nothing was "
        "changed by it. Run it again; `trainfold doctor` says which indexes are missing.",
    ),
}


def is_undefined(error: DBAPIError | PoolTimeout) -> bool:
    """Tell whether the database lacks a table or column that a statement names."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in ("42P01", "42703")


def translated(error: DBAPIError | PoolTimeout, engine: Engine) -> TrainfoldError:
    """Return the domain's error, in at most three lines, for what the driver raised."""
    if isinstance(error, PoolTimeout):
        return Unreachable(
            "All of this process's database connections are in use. Nothing was done. Try again, "
            f"or raise connection_limit in {VARIABLE}."
        )
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate == INSUFFICIENT_PRIVILEGE:
        return _lacking_privilege(error, engine)
    if sqlstate in _ANSWERED:
        kind, words = _ANSWERED[sqlstate]
        return kind(_filled(words, error, engine))
    if isinstance(error, OperationalError):
        return _not_connected(error, engine)
    return DatabaseRefused(
        f"The database refuses a statement: {first_line(error)}. {UNCHANGED}",
        getattr(getattr(error.orig, "diag", None), "constraint_name", None),
    )


def _not_connected(error: OperationalError, engine: Engine) -> TrainfoldError:
    said = str(error.orig)
    for refusal in _CONNECTING:
        if refusal.pattern.search(said):
            return refusal.error(_filled(refusal.words, error, engine))
    return Unreachable(f"The database does not answer: {first_line(error)}")


def _filled(words: str, error: DBAPIError, engine: Engine) -> str:
    url = engine.url
    return words.format(
        role=url.username or "(the system user)",
        host=url.host or "(local socket)",
        port=url.port or 5432,
        database=url.database or url.username,
        said=_said(error),
    )


def first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


def _said(error: DBAPIError) -> str:
    """Return the server's own words, without the driver's in front of them."""
    return re.sub(r"^.*?(?:FATAL|ERROR):\s*", "", first_line(error)).rstrip(". ")


_DENIED = re.compile(r"(?:for|of) (table|view|relation|sequence|schema|database|function) (\S+)")
_ROW = re.compile(r'row-level security policy (?:".*" )?for table "(.+)"')
_NAMES = text("""
    SELECT quote_ident(current_user) AS role,
           (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = :name
            ORDER BY position(n.nspname || '.' || c.relname IN :statement) > 0 DESC,
                     pg_table_is_visible(c.oid) DESC, n.nspname
            LIMIT 1) AS table
""")


def _lacking_privilege(error: DBAPIError, engine: Engine) -> AccessRefused:
    """Name the object, the role and the SQL that helps; the server's message has only the first."""
    statement = str(error.statement or "")
    said = first_line(error)
    if row := _ROW.search(said):
        role, table = _names(engine, row[1], statement)
        return AccessRefused(
            f"Row level security of {table} refuses a row that the role “{role}” writes. Nothing "
            f"was changed. As the table's owner: {write_policy(table, role)}"
        )
    denied = _DENIED.search(said)
    if denied is None:
        role, _ = _names(engine, "", statement)
        return AccessRefused(
            f"The role “{role}” may not do that: {said}. Nothing was changed. `trainfold "
            f"doctor` says what it needs; or name another role in {VARIABLE}."
        )
    kind, name = denied.groups()
    role, table = _names(engine, name.strip('"'), statement)
    if kind in ("table", "view", "relation"):
        kind, name = "table", table
    privileges = _PRIVILEGES[kind](statement)
    return AccessRefused(
        f"The role “{role}” may not use the {kind} {name}. Nothing was changed. As its owner: "
        f"{grant(privileges, kind.upper(), name, role)}"
    )


def write_policy(table: str, role: str) -> str:
    return policy(table, role, name="trainfold_writes", writes=True)


def _of_table(statement: str) -> str:
    return READING if statement.lstrip().upper().startswith(("SELECT", "WITH")) else IMPORTING


def _of_schema(statement: str) -> str:
    return "USAGE, CREATE" if "CREATE" in statement.upper() else "USAGE"


_PRIVILEGES: dict[str, Callable[[str], str]] = {
    "table": _of_table,
    "schema": _of_schema,
    "sequence": lambda _: "USAGE",
    "database": lambda _: "CREATE",
    "function": lambda _: "EXECUTE",
}


def _names(engine: Engine, name: str, statement: str) -> tuple[str, str]:
    """Return the session's role, and the qualified name of a table that it has no access to.

    Asked of the database: behind a pooler the role in the address can be an alias.
    """
    with suppress(SQLAlchemyError), engine.connect() as connection:
        row = connection.execute(_NAMES, {"name": name, "statement": statement}).one()
        return row.role, row.table or name
    return engine.url.username or "", name
