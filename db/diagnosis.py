"""What the system's catalogs say of the set-up. They can be read without any privilege.

Nothing here judges: `operations.doctor.database` does.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text

from db.schema import VERSION_TABLE, OwnTable, quoted
from db.schemas import schemas_of
from db.source_shape import REQUIRED, SourceColumn, SourceShape

OWN_TABLES = sorted(table.name for table in OwnTable.metadata.sorted_tables)
SOURCE_TABLES = tuple(REQUIRED)


class Server(NamedTuple):
    version: str
    role: str
    """Quoted, as it stands in SQL."""
    database: str
    bypasses_row_security: bool


class OwnSchema(NamedTuple):
    """Trainfold's own schema as this role finds it."""

    name: str
    exists: bool
    may_use: bool
    may_create: bool
    may_create_schemas: bool


class Table(NamedTuple):
    """A table, and what this role may do with it."""

    schema: str
    name: str
    privileges: frozenset[str]
    """Of SELECT, INSERT, UPDATE and DELETE."""
    is_guarded: bool
    """Row level security applies to this role."""
    writable_by_policy: bool
    """A policy without conditions lets the role read and write all rows."""

    @property
    def qualified(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


_SERVER = text("""
    SELECT current_setting('server_version') AS version, quote_ident(current_user) AS role,
           quote_ident(current_database()) AS database,
           (SELECT rolbypassrls OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
""")
_OWN_SCHEMA = text("""
    SELECT named.name, n.oid IS NOT NULL, coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
           coalesce(has_schema_privilege(n.oid, 'CREATE'), false),
           has_database_privilege(current_database(), 'CREATE')
    FROM (SELECT CAST(:own AS text) AS name) named
    LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = named.name
""")
_TABLES = text("""
    SELECT n.nspname, c.relname,
           array_remove(ARRAY[
               CASE WHEN has_schema_privilege(n.oid, 'USAGE')
                     AND has_any_column_privilege(c.oid, 'SELECT') THEN 'SELECT' END,
               CASE WHEN has_table_privilege(c.oid, 'INSERT') THEN 'INSERT' END,
               CASE WHEN has_table_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
               CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END], NULL),
           row_security_active(c.oid),
           EXISTS (SELECT FROM pg_catalog.pg_policy p
                   WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd = '*'
                     AND pg_get_expr(p.polqual, p.polrelid) = 'true'
                     AND EXISTS (SELECT FROM unnest(p.polroles) AS r (oid)
                                 WHERE r.oid = 0 OR pg_has_role(r.oid, 'USAGE')))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = ANY(:names) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY array_position(CAST(:names AS text[]), CAST(c.relname AS text))
""")
_SOURCE_SCHEMA = text("""
    SELECT coalesce(CAST(:configured AS text),
                    (SELECT n.nspname FROM pg_catalog.pg_class c
                     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'public' AND c.relname = 'conversations' LIMIT 1),
                    CAST(:own AS text))
""")
_MAY_USE = text("""
    SELECT coalesce(bool_or(has_schema_privilege(oid, 'USAGE')), true)
    FROM pg_catalog.pg_namespace WHERE nspname = :schema
""")
_COLUMN_TYPES = text("""
    SELECT c.relname, a.attname,
           format_type(coalesce(nullif(y.typbasetype, 0), a.atttypid), NULL) AS type
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    WHERE n.nspname = :schema AND c.relname = ANY(:names)
""")
_INDEXES = text("""
    SELECT c.relname, pg_get_indexdef(c.oid) AS definition FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
""")


def server(connection: Connection) -> Server:
    return Server(*connection.execute(_SERVER).one())


def own_schema(connection: Connection) -> OwnSchema:
    return OwnSchema(*connection.execute(_OWN_SCHEMA, {"own": schemas_of(connection).own}).one())


def own_tables(connection: Connection) -> list[Table]:
    """Return those of trainfold's tables that exist, and the table of their version."""
    return _tables(connection, schemas_of(connection).own, [*OWN_TABLES, VERSION_TABLE])


def source_schema(connection: Connection) -> str:
    """Return the schema in which the source tables are looked for."""
    schemas = schemas_of(connection)
    values = {"configured": schemas.source, "own": schemas.own}
    schema: str = connection.execute(_SOURCE_SCHEMA, values).scalar_one()
    return schema


def source_tables(connection: Connection) -> list[Table]:
    """Return those of the source tables that exist."""
    return _tables(connection, source_schema(connection), SOURCE_TABLES)


def may_use_schema(connection: Connection, schema: str) -> bool:
    return bool(connection.execute(_MAY_USE, {"schema": schema}).scalar())


def column_types(connection: Connection) -> dict[tuple[str, str], str]:
    """Return the types of the source tables' columns, by table and column."""
    values = {"schema": source_schema(connection), "names": list(SOURCE_TABLES)}
    rows = connection.execute(_COLUMN_TYPES, values)
    return {(row.relname, row.attname): row.type for row in rows}


def full_shape(connection: Connection) -> SourceShape:
    """Return the source tables' columns, also those that this role may not read."""
    tables: dict[str, dict[str, SourceColumn]] = {}
    for (table, column), type in column_types(connection).items():  # noqa: A001
        tables.setdefault(table, {})[column] = SourceColumn(type, is_required=False)
    schema = source_schema(connection)
    is_ours = schema == schemas_of(connection).own
    return SourceShape(schema, is_ours, tables, item_refers_to="conversation_id")


def index_definitions(connection: Connection) -> dict[str, str]:
    """Return the indexes of the source tables' schema."""
    values = {"schema": source_schema(connection)}
    rows = connection.execute(_INDEXES, values)
    return {row.relname: row.definition for row in rows}


def _tables(connection: Connection, schema: str, names: Sequence[str]) -> list[Table]:
    rows = connection.execute(_TABLES, {"schema": schema, "names": list(names)})
    return [
        Table(schema, name, frozenset(privileges), guarded, writable)
        for schema, name, privileges, guarded, writable in rows
    ]


def shares_connections(engine: Engine, *, attempts: int = 3) -> bool:
    """Tell whether a pooler gives one server connection to several clients (transaction mode).

    Proof is one backend that serves two clients that are both connected, or two backends that
    serve one. A server or a pooler in session mode never does that. False means: no sign of it.
    """
    with engine.connect() as first, engine.connect() as second:
        for _ in range(attempts):
            backends = [_backend(first), _backend(second), _backend(first)]
            if backends[0] == backends[1] or backends[0] != backends[2]:
                return True
            # While the second has a transaction, the first may be given another backend.
            held = second.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            moved = _backend(first)
            second.rollback()
            if moved != backends[0] or held != backends[1]:
                return True
    return False


def _backend(connection: Connection) -> Any:
    """Return the server process that carries out one transaction of this client."""
    pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    connection.rollback()
    return pid
