"""The SQL that gives a role what it lacks, for a person to read and run."""

from collections.abc import Sequence

READING = "SELECT"
IMPORTING = "SELECT, INSERT, UPDATE"
OWNING = "SELECT, INSERT, UPDATE, DELETE"


def grant(privileges: str, kind: str, name: str, role: str) -> str:
    """Return the GRANT of privileges on a table, schema or database; names are quoted already."""
    return f"GRANT {privileges} ON {kind} {name} TO {role};"


def unreadable(role: str, tables: Sequence[str], grants: Sequence[str], *, own: str) -> str:
    """Say that a role may not read tables, and the grants that let it."""
    return (
        f"The role {role} may not read {', '.join(tables)}. Nothing was changed. To use "
        f"trainfold's own tables, set TRAINFOLD_SOURCE_SCHEMA={own}; to use these, let their owner "
        f"run: {' '.join(grants)}"
    )


def policy(table: str, role: str, *, name: str, writes: bool = False) -> str:
    """Return the policy that shows all rows of a table to a role, and lets it write them."""
    command, check = ("ALL", " WITH CHECK (true)") if writes else ("SELECT", "")
    return f"CREATE POLICY {name} ON {table} FOR {command} TO {role} USING (true){check};"
