"""Rows that row level security hides from this role: a query finds nothing, and nothing fails."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from db.diagnosis import source_tables
from db.privileges import READING, policy


class GuardedTable(NamedTuple):
    """A source table with stored rows, of which policies decide what this role sees."""

    table: str
    """Qualified and quoted."""
    role: str
    sees_all: bool
    """A policy without conditions shows every row to the role."""
    is_readable: bool
    """The role has the right to select, so that policies are all that is in the way."""


_GUARDED = text("""
    SELECT quote_ident(current_user) AS role,
           EXISTS (SELECT FROM pg_catalog.pg_policy p
                   WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('r', '*')
                     AND pg_get_expr(p.polqual, p.polrelid) = 'true'
                     AND EXISTS (SELECT FROM unnest(p.polroles) AS r (oid)
                                 WHERE r.oid = 0 OR pg_has_role(r.oid, 'USAGE'))) AS sees_all
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :name AND pg_relation_size(c.oid) > 0
""")


def guarded_tables(connection: Connection) -> list[GuardedTable]:
    """Return the source tables that hold rows and whose row level security this role is under."""
    return [
        GuardedTable(table.qualified, row.role, row.sees_all, READING in table.privileges)
        for table in source_tables(connection)
        if table.is_guarded
        for row in connection.execute(_GUARDED, {"schema": table.schema, "name": table.name})
    ]


def hidden_tables(connection: Connection) -> list[GuardedTable]:
    """Return those of them of which this role sees no row at all, or would not once it may read."""
    return [
        guarded
        for guarded in guarded_tables(connection)
        if not guarded.sees_all and not (guarded.is_readable and _sees_any(connection, guarded))
    ]


def _sees_any(connection: Connection, guarded: GuardedTable) -> bool:
    query = f"SELECT EXISTS (SELECT FROM {guarded.table})"  # noqa: S608 - quoted
    return bool(connection.execute(text(query)).scalar())


def hidden_rows(connection: Connection) -> str | None:
    """Say why a query found nothing, if that is because this role sees no row of a source table."""
    hidden = hidden_tables(connection)
    if not hidden:
        return None
    tables = " and ".join(each.table for each in hidden)
    return (
        f"Row level security hides all rows of {tables} from the role “{hidden[0].role}”. "
        f"Nothing was changed. As the owner of the tables: {' '.join(read_policies(hidden))}"
    )


def read_policies(guarded: Sequence[GuardedTable]) -> list[str]:
    """Return the SQL that shows all rows of these tables to the role."""
    return [policy(each.table, each.role, name="trainfold_reads") for each in guarded]
