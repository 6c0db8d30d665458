"""Read the shape of the source tables, which an application may have made and alone changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, text

from db.privileges import READING, grant, unreadable
from db.schema import quoted
from domain.errors import AccessRefused, NotReady

REQUIRED = {
    "conversations": ("conversation_id", "enrichment_status", "enriched_file_path"),
    "batch_jobs": ("id",),
    "batch_items": ("batch_job_id", "conversation_id"),
}

# The system's catalogs, as the information schema hides what the user has no rights on.
_COLUMNS = text("""
    WITH source AS (
        SELECT coalesce(
            CAST(:configured AS text),
            (SELECT n.nspname FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'public' AND c.relname = 'conversations'
               AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
            CAST(:own AS text)) AS schema),
    tables AS (
        SELECT n.nspname, c.relname, c.oid, has_schema_privilege(n.oid, 'USAGE') AS may_enter
        FROM source JOIN pg_catalog.pg_namespace n ON n.nspname = source.schema
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
        WHERE c.relname IN ('conversations', 'batch_jobs', 'batch_items')
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
    SELECT source.schema, current_user AS role, t.relname AS table_name, a.attname AS column_name,
           format_type(coalesce(nullif(y.typbasetype, 0), a.atttypid), NULL) AS type,
           a.attnotnull AS is_required,
           t.may_enter AND has_column_privilege(t.oid, a.attnum, 'SELECT') AS is_readable,
           (SELECT target.attname
            FROM pg_catalog.pg_constraint k
            JOIN tables AS referred ON referred.oid = k.confrelid
            JOIN pg_catalog.pg_attribute target
              ON target.attrelid = k.confrelid AND target.attnum = k.confkey[1]
            WHERE k.contype = 'f' AND k.conrelid = t.oid AND k.conkey = ARRAY[a.attnum]
              AND referred.relname = 'conversations' LIMIT 1) AS conversations_column
    FROM source LEFT JOIN tables t ON true
    LEFT JOIN pg_catalog.pg_attribute a
      ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
""")


@dataclass(frozen=True, slots=True)
class SourceColumn:
    type: str
    is_required: bool
    """NOT NULL."""


Columns = Mapping[str, SourceColumn]


@dataclass(frozen=True, slots=True)
class SourceShape:
    """Where the source tables are, which columns they have, and how they are linked."""

    schema: str
    is_ours: bool
    """They are in trainfold's own schema: made by it, and written by `import`."""
    tables: Mapping[str, Columns]
    """The columns that the user may read; batches may be missing, conversations are not."""
    item_refers_to: str
    """The column of conversations that `batch_items.conversation_id` holds."""


def read_shape(connection: Connection, *, own: str, configured: str | None) -> SourceShape:
    """Read the source tables' shape; raise NotReady or AccessRefused where they cannot be used."""
    rows = connection.execute(_COLUMNS, {"own": own, "configured": configured}).all()
    schema, role = rows[0].schema, rows[0].role
    columns = [row for row in rows if row.column_name is not None]
    _require_rights(columns, schema, role, own)
    tables = {
        name: {
            row.column_name: SourceColumn(row.type, row.is_required)
            for row in columns
            if row.table_name == name and row.is_readable
        }
        for name in {row.table_name for row in columns}
    }
    referred = next((row.conversations_column for row in columns if _is_link(row)), None)
    _require_columns(tables, referred, schema, own)
    return SourceShape(
        schema=schema,
        is_ours=schema == own,
        tables=tables,
        item_refers_to=referred or _probable_link(connection, schema, tables),
    )


def _is_link(row: Row[tuple[str, ...]]) -> bool:
    return (row.table_name, row.column_name) == ("batch_items", "conversation_id")


def _require_rights(columns: list[Row[tuple[str, ...]]], schema: str, role: str, own: str) -> None:
    readable = {row.table_name for row in columns if row.is_readable}
    closed = sorted({row.table_name for row in columns} - readable)
    if closed:
        names = [f"{quoted(schema)}.{name}" for name in closed]
        grants = [grant("USAGE", "SCHEMA", quoted(schema), quoted(role))]
        grants += [grant(READING, "TABLE", name, quoted(role)) for name in names]
        raise AccessRefused(unreadable(role, names, grants, own=own))


def _require_columns(
    tables: Mapping[str, Columns], referred: str | None, schema: str, own: str
) -> None:
    if "conversations" not in tables:
        next_step = (
            "Run `trainfold migrate` with TRAINFOLD_DATABASE_URL set."
            if schema == own
            else "Set TRAINFOLD_SOURCE_SCHEMA to the schema of the application's tables."
        )
        raise NotReady(
            f"There is no table {schema}.conversations. Nothing was changed. {next_step}"
        )
    required = dict(REQUIRED)
    if referred is not None:
        required["conversations"] += (referred,)
    for table, columns in tables.items():
        missing = [name for name in required[table] if name not in columns]
        if missing:
            raise NotReady(
                f"The table {schema}.{table} lacks the column {', '.join(missing)}, or trainfold's "
                "user may not read it. Nothing was changed. Set TRAINFOLD_SOURCE_SCHEMA to the "
                f"schema of the tables to read; {own} has trainfold's own, which `trainfold "
                "import` fills."
            )


def _probable_link(connection: Connection, schema: str, tables: Mapping[str, Columns]) -> str:
    """Tell without a foreign key what batch items refer to, from the data.

    The name says `conversation_id`; the first users' application means `id`.
    """
    items = tables.get("batch_items")
    if items is None or "id" not in tables["conversations"]:
        return "conversation_id"
    held = items["conversation_id"]
    joins = [
        f"LEFT JOIN {quoted(schema)}.conversations AS by_{name} "
        f"ON {_equal(f'by_{name}.{name}', tables['conversations'][name], 'item.held', held)}"
        for name in ("id", "conversation_id")
    ]
    query = f"""
        SELECT count(by_id.id) AS by_id, count(by_conversation_id.conversation_id) AS by_other
        FROM (SELECT conversation_id AS held FROM {quoted(schema)}.batch_items
              WHERE conversation_id IS NOT NULL LIMIT 100) AS item {" ".join(joins)}
    """  # noqa: S608 - names
    counts = connection.execute(text(query)).one()
    return "id" if counts.by_id > counts.by_other else "conversation_id"


def _equal(one: str, its: SourceColumn, other: str, others: SourceColumn) -> str:
    if kind_of(its) == kind_of(others):
        return f"{one} = {other}"
    return f"CAST({one} AS text) = CAST({other} AS text)"


def kind_of(column: SourceColumn) -> str:
    """Return the column's type, with one name for all text."""
    return "text" if column.type in ("text", "character varying") else column.type
