"""The address of a PostgreSQL, as hosts, guides and other tools write it.

An address that cannot be read is refused before any library sees it: an unescaped password would
appear in what they raise, cut into a host, a port and a database.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from psycopg import pq
from sqlalchemy import URL

from domain.errors import NotReady

VARIABLE = "TRAINFOLD_DATABASE_URL"
FORM = "postgresql://user:password@host:port/database"
ENCODE = "percent-encode the password in it: @ is %40, # is %23, / is %2F, ? is %3F, % is %25"

_ADDRESS = re.compile(
    r"(?:postgres|postgresql)(?:\+\w+)?://"
    r"(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[^\]]*\]|[^/:?]*)(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST = re.compile(r"[\w.,%-]*|\[[0-9A-Fa-f:.%]+\]")
_PLACEHOLDER = re.compile(r"\[.*\]|<.*>")
_LIBPQ = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
_SSL_OF_OTHER_DRIVERS = {"true": "require", "1": "require", "false": "prefer", "0": "prefer"}
_HARMLESS = frozenset(
    {"pgbouncer", "supa", "workaround", "statement_cache_size", "prepared_statement_cache_size",
     "prepareThreshold", "prepare_threshold", "preparedStatementCacheQueries"}
)  # fmt: skip
"""Options of other drivers that ask for what holds here anyway: no prepared statements."""


@dataclass(frozen=True)
class Address:
    """Where a database is, and what its address asks of the one who connects."""

    url: URL
    max_connections: int | None
    pool_timeout_seconds: float | None
    schema: str | None
    """The schema of the application's tables, where the address names one (Prisma's `schema`)."""
    ignored: tuple[str, ...]
    """Options that neither libpq nor trainfold knows."""


def read_address(text: str) -> Address:
    """Read an address; raise NotReady, without any piece of it, if that is not possible."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        raise NotReady(
            f"{VARIABLE} is not the address of a PostgreSQL. Nothing was done. It has the form "
            f"{FORM}, without quotes."
        )
    if problem := _problem(match):
        raise NotReady(f"{VARIABLE} cannot be read: {problem}. Nothing was done.")
    options = dict(parse_qsl(match["query"] or "", keep_blank_values=True))
    known = {name: value for name, value in options.items() if name in _LIBPQ}
    return Address(
        url=URL.create(
            "postgresql+psycopg",
            username=_decoded(match["user"]),
            password=_decoded(match["password"]),
            host=_decoded(match["host"].strip("[]")),
            port=int(match["port"]) if match["port"] else None,
            database=_decoded(match["database"]),
            query=known | _encryption(options),
        ),
        max_connections=_positive(options.get("connection_limit")),
        pool_timeout_seconds=_positive(options.get("pool_timeout")),
        schema=options.get("schema") or None,
        ignored=tuple(sorted(options.keys() - known.keys() - _HONOURED - _HARMLESS)),
    )


_HONOURED = frozenset({"connection_limit", "pool_timeout", "schema", "ssl", "sslaccept"})


def _problem(match: re.Match[str]) -> str | None:
    """Say what is wrong with an address, in words that hold nothing of it."""
    host, port, database, query = match.group("host", "port", "database", "query")
    if _PLACEHOLDER.fullmatch(match["password"] or ""):
        return "its password is a placeholder in brackets; put the password there, without them"
    if any("@" in (part or "") for part in (host, port, database)) or _holds_an_at(query or ""):
        return f"an @ stands where none can be; {ENCODE}"
    if port and not port.isdecimal():
        return f"its port is not a number; it has the form {FORM}; {ENCODE}"
    if not _HOST.fullmatch(host):
        return f"its host is no name of a host; it has the form {FORM}; {ENCODE}"
    return None


def _holds_an_at(query: str) -> bool:
    """Return whether what looks like options is the rest of a password and a host."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return any("@" in name or ("@" in value and name not in _LIBPQ) for name, _, value in pairs)


def _encryption(options: Mapping[str, str]) -> dict[str, str]:
    """Return libpq's words for what other drivers' options ask of the encryption."""
    mode = options.get("sslmode")
    if mode is None and (ssl := options.get("ssl")):
        mode = _SSL_OF_OTHER_DRIVERS.get(ssl, ssl)
    if options.get("sslaccept") == "strict":
        return {"sslmode": "verify-full", "sslrootcert": options.get("sslrootcert", "system")}
    if mode is None:
        return {}
    return {"sslmode": "require" if mode == "no-verify" else mode}


def _decoded(part: str | None) -> str | None:
    return unquote(part) if part else None


def _positive(value: str | None) -> int | None:
    """Return a number of connections or seconds; None where none is given or it means no limit."""
    return int(value) if value and value.isdecimal() and int(value) > 0 else None
