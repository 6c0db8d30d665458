"""The database: reachable, migrated, its source tables readable, and closed to everybody else."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from sqlalchemy import Connection, Engine

from db import diagnosis, migrate
from db.diagnosis import SOURCE_TABLES, Table, own_schema, own_tables
from db.engine import ignored_options, reading
from db.own_schema import require_schema, statements_to_close
from db.privileges import OWNING, READING, grant, policy, unreadable
from db.schema import VERSION_TABLE, quoted
from db.schemas import schemas_of, source_tables
from db.source_tables import CONVERTIBLE, UNCHANGED, offered_indexes
from db.visibility import guarded_tables, hidden_rows, hidden_tables, read_policies
from domain.diagnosis import Check, failed, failures, passed, warning
from domain.errors import AccessRefused, NotReady, TrainfoldError, Unreachable


class DatabaseFault(StrEnum):
    NOT_READY = "database-not-ready"
    REFUSED = "database-refused"
    UNREACHABLE = "database-unreachable"
    OPTIONS_IGNORED = "address-options-ignored"
    NAME_CLASH = "name-clash"
    SCHEMA_CLOSED = "schema-closed"
    SCHEMA_NOT_CURRENT = "schema-not-current"
    OWN_TABLES_CLOSED = "own-tables-closed"
    OPEN_TO_OTHERS = "open-to-others"
    SOURCE_TABLE_MISSING = "source-table-missing"
    SOURCE_COLUMN_MISSING = "source-column-missing"
    SOURCE_COLUMN_TYPE = "source-column-type"
    GRANT_MISSING = "grant-missing"
    ROWS_HIDDEN = "rows-hidden"
    ROWS_RESTRICTED = "rows-restricted"
    INDEX_MISSING = "index-missing"


Fault = DatabaseFault
_CONNECTING: dict[type[TrainfoldError], StrEnum] = {
    NotReady: Fault.NOT_READY,
    AccessRefused: Fault.REFUSED,
    Unreachable: Fault.UNREACHABLE,
}
USABLE_TYPES = {
    ("conversations", "conversation_id"): UNCHANGED["uuid"] | UNCHANGED["text"],
    ("conversations", "scaffolding_snapshot"): {"json", "jsonb"},
    ("conversations", "quality_score"): UNCHANGED["numeric"] | CONVERTIBLE["numeric"],
    ("conversations", "created_at"): UNCHANGED["timestamptz"] | CONVERTIBLE["timestamptz"],
    ("batch_items", "batch_job_id"): UNCHANGED["uuid"] | UNCHANGED["text"],
}
"""A column of another type is read as if it were empty."""


def check_database(connect: Callable[[], Engine]) -> list[Check]:
    """Check all of the database; nothing more is asked where it does not answer."""
    try:
        engine = connect()
        with reading(engine) as connection:
            checks = [_reachable(connection), _options(engine), *_checks(connection)]
        return [*checks, _pooler(engine)]
    except TrainfoldError as error:
        code = _CONNECTING.get(type(error), Fault.UNREACHABLE)
        return [failed("database.reachable", code, str(error))]


def require_database(engine: Engine) -> None:
    """Raise NotReady, in the words of the first check that fails, unless work can begin."""
    with reading(engine) as connection:
        for check in failures(_checks(connection, essential=True)):
            raise NotReady(check.text)


def require_migratable(engine: Engine) -> None:
    """Raise NotReady unless a migration can make trainfold's tables."""
    with reading(engine) as connection:
        for check in failures([_schema(connection)]):
            if check.finding != Fault.SCHEMA_NOT_CURRENT:
                raise NotReady(check.text)


def _checks(connection: Connection, *, essential: bool = False) -> Iterator[Check]:
    """Make the checks in the order in which their faults are mended; a fault hides no other."""
    checks: list[Callable[[Connection], Check]] = [
        _schema, _own_tables, _source_grants, _source_columns, _source_types, _rows,
    ]  # fmt: skip
    if not essential:
        checks += [_closed, _indexes]
    for check in checks:
        yield check(connection)
        connection.rollback()


def _reachable(connection: Connection) -> Check:
    seen = diagnosis.server(connection)
    return passed(
        "database.reachable",
        f"PostgreSQL {seen.version}, database {seen.database}, as role {seen.role}"
        + (", which row level security does not apply to" if seen.bypasses_row_security else ""),
    )


def _options(engine: Engine) -> Check:
    ignored = ignored_options(engine)
    if ignored:
        return warning(
            "database.address",
            Fault.OPTIONS_IGNORED,
            f"The address has options that neither libpq nor trainfold knows: {', '.join(ignored)}."
            " They are left out. Correct them, or remove them from TRAINFOLD_DATABASE_URL.",
        )
    return passed("database.address", "every option of the address is understood")


def _schema(connection: Connection) -> Check:
    name = "database.schema"
    own, role = own_schema(connection), diagnosis.server(connection).role
    schema, tables = quoted(own.name), own_tables(connection)
    versions = [table for table in tables if table.name == VERSION_TABLE]
    if tables and not versions:
        return failed(
            name,
            Fault.NAME_CLASH,
            f"Tables that are not trainfold's have the names of its own: {_listed(tables)}. "
            "Nothing was changed. Name a schema for trainfold alone in TRAINFOLD_DATABASE_SCHEMA, "
            "and run `trainfold migrate`.",
        )
    if not (own.may_use and versions):
        try:
            require_schema(connection)
        except AccessRefused as error:
            make = [] if own.exists else [f"CREATE SCHEMA {schema};"]
            sql = [*make, grant("USAGE, CREATE", "SCHEMA", schema, role)]
            return failed(name, Fault.SCHEMA_CLOSED, str(error), sql=sql)
    if any(_is_closed(table, READING) for table in versions):
        return passed(name, "not asked: trainfold's tables are closed to this role")
    try:
        revision = migrate.current_revision(connection)
    except TrainfoldError as error:
        return failed(name, Fault.SCHEMA_NOT_CURRENT, str(error))
    return passed(name, f"the schema {own.name} is at version {revision}, which this release needs")


def _is_migrated(connection: Connection) -> bool:
    return any(table.name == VERSION_TABLE for table in own_tables(connection))


def _own_tables(connection: Connection) -> Check:
    name = "database.own-tables"
    role = diagnosis.server(connection).role
    tables = own_tables(connection) if _is_migrated(connection) else []
    closed = [table for table in tables if _is_closed(table, OWNING)]
    if not closed:
        return passed(name, f"the role {role} may read and write what trainfold has made")
    return failed(
        name,
        Fault.OWN_TABLES_CLOSED,
        f"The role {role} may not read and write {_listed(closed)}: the role that ran `trainfold "
        "migrate` made them. Nothing was changed. Connect as that role, or let it give this one "
        "the rights (`trainfold doctor --fix-sql`).",
        sql=[statement for table in closed for statement in _opening(table, role)],
    )


def _is_closed(table: Table, needed: str) -> bool:
    """Tell whether rights are missing, or row level security refuses what they allow."""
    return _lacks_rights(table, needed) or (table.is_guarded and not table.writable_by_policy)


def _lacks_rights(table: Table, needed: str) -> bool:
    return not frozenset(needed.split(", ")) <= table.privileges


def _opening(table: Table, role: str) -> Iterator[str]:
    if _lacks_rights(table, OWNING):
        yield grant(OWNING, "TABLE", table.qualified, role)
    if table.is_guarded and not table.writable_by_policy:
        yield policy(table.qualified, role, name="trainfold_works", writes=True)


def _source_grants(connection: Connection) -> Check:
    name = "database.grants"
    role, schema = diagnosis.server(connection).role, diagnosis.source_schema(connection)
    closed = [
        table for table in diagnosis.source_tables(connection) if READING not in table.privileges
    ]
    if not closed:
        return passed(name, f"the role {role} may read the source tables in {schema}")
    sql = [grant(READING, "TABLE", table.qualified, role) for table in closed]
    if not diagnosis.may_use_schema(connection, schema):
        sql.insert(0, grant("USAGE", "SCHEMA", quoted(schema), role))
    return failed(
        name,
        Fault.GRANT_MISSING,
        unreadable(
            role, [table.qualified for table in closed], sql, own=schemas_of(connection).own
        ),
        sql=sql,
    )


def _source_columns(connection: Connection) -> Check:
    name = "database.source-tables"
    schema = diagnosis.source_schema(connection)
    if not _is_migrated(connection) and not diagnosis.source_tables(connection):
        return passed(name, "not there yet: the migration makes them where no application does")
    schemas_of(connection).forget()
    try:
        shape = source_tables(connection).shape
    except AccessRefused:
        return passed(name, "not asked: this role may not read them")
    except NotReady as error:
        is_there = ("conversations", "conversation_id") in diagnosis.column_types(connection)
        fault = Fault.SOURCE_COLUMN_MISSING if is_there else Fault.SOURCE_TABLE_MISSING
        return failed(name, fault, str(error))
    missing = [f"{schema}.{table}" for table in SOURCE_TABLES if table not in shape.tables]
    if missing:
        return warning(
            name,
            Fault.SOURCE_TABLE_MISSING,
            f"There is no table {', '.join(missing)}, so there are no batches. Set "
            "TRAINFOLD_SOURCE_SCHEMA if the application has them in another schema.",
        )
    return passed(
        name,
        f"{', '.join(SOURCE_TABLES)} are in {schema}; batch items refer to "
        f"conversations.{shape.item_refers_to}",
    )


def _source_types(connection: Connection) -> Check:
    name = "database.source-types"
    types = diagnosis.column_types(connection)
    odd = [
        f"{table}.{column} is {types[table, column]}"
        for (table, column), usable in USABLE_TYPES.items()
        if types.get((table, column), next(iter(usable))) not in usable
    ]
    if not odd:
        return passed(name, "the columns of the source tables have types that trainfold reads")
    return failed(
        name,
        Fault.SOURCE_COLUMN_TYPE,
        f"trainfold cannot use the type of a column: {', '.join(odd)}; it is read as empty. "
        "Nothing was changed. Let the application store an id as uuid or text, a score as a "
        "number, a time as timestamptz, the snapshot as jsonb.",
    )


def _rows(connection: Connection) -> Check:
    name = "database.rows"
    if explanation := hidden_rows(connection):
        sql = read_policies(hidden_tables(connection))
        return failed(name, Fault.ROWS_HIDDEN, explanation, sql=sql)
    restricted = [table for table in guarded_tables(connection) if not table.sees_all]
    if restricted:
        return warning(
            name,
            Fault.ROWS_RESTRICTED,
            f"Policies decide which rows of {', '.join(table.table for table in restricted)} the "
            f"role {restricted[0].role} sees; it sees some. If trainfold is to use all of them, "
            f"let the tables' owner run: {' '.join(read_policies(restricted))}",
            sql=read_policies(restricted),
        )
    return passed(name, "row level security hides no row from this role")


def _closed(connection: Connection) -> Check:
    name = "database.closed"
    closing = statements_to_close(connection) if _is_migrated(connection) else []
    sql = [f"{statement};" for statement in closing]
    if sql:
        return failed(
            name,
            Fault.OPEN_TO_OTHERS,
            "Others than trainfold may use its schema or tables (PUBLIC, anon or authenticated). "
            f"Nothing was changed. `trainfold migrate` closes them, or: {' '.join(sql)}",
            sql=sql,
        )
    return passed(name, "PUBLIC, anon and authenticated have no rights on trainfold's tables")


def _indexes(connection: Connection) -> Check:
    name = "database.indexes"
    offered = offered_indexes(diagnosis.full_shape(connection))
    existing = diagnosis.index_definitions(connection)
    missing = [sql for sql in offered if not _is_there(sql, existing)]
    if missing:
        return warning(
            name,
            Fault.INDEX_MISSING,
            f"{len(missing)} indexes that keep lists and the gate quick on large source tables are "
            "missing. Everything works without. The tables' owner can make them "
            "(`trainfold doctor --fix-sql`).",
            sql=missing,
        )
    return passed(name, "the source tables have the indexes that lists and the gate use")


def _is_there(offered: str, existing: dict[str, str]) -> bool:
    """Tell whether an index has this name, or begins with the same plain columns."""
    head, _, columns = offered.rstrip(";").partition(" (")
    table = head.rpartition(".")[2]
    begins = f".{table} USING btree ({columns.rstrip(')')}"
    return any(f" {name} ON " in head or begins in sql for name, sql in existing.items())


def _pooler(engine: Engine) -> Check:
    name = "database.pooler"
    if engine.pool.size() < 2:  # type: ignore[attr-defined]  # noqa: PLR2004
        return passed(name, "not asked: connection_limit leaves one connection")
    if diagnosis.shares_connections(engine):
        return passed(name, "a pooler in transaction mode, which trainfold is made for")
    return passed(name, "no sign of a pooler in transaction mode: each client has its own session")


def _listed(tables: Sequence[Table]) -> str:
    return ", ".join(table.qualified for table in tables)
