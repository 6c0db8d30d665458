"""What tables are called in this database: trainfold's own schema, and that of the source tables.

Names are qualified in every statement. A pooler in transaction mode refuses start-up options such
as a search_path, and forgets what SET changes.
"""

import time
from dataclasses import dataclass, field
from string import Template

from sqlalchemy import Connection, Engine, TextClause, text

from db.schema import DEFAULT_SCHEMA, OwnTable, quoted
from db.source_shape import read_shape
from db.source_tables import SourceTables, source_tables_of

OPTION = "trainfold_schemas"
MAX_AGE_SECONDS = 60
"""The shape of the source tables is read again after that: not every change makes a query fail."""

_OWN_NAMES = tuple(table.name for table in OwnTable.metadata.sorted_tables)


@dataclass(slots=True)
class Schemas:
    """The schemas of one engine, and what was read of its source tables."""

    own: str = DEFAULT_SCHEMA
    source: str | None = None
    """None: `public` if it has conversations, otherwise the own one."""
    _cached: tuple[float, SourceTables] | None = field(default=None, init=False)

    def source_tables(self, connection: Connection) -> SourceTables:
        """Return the source tables; raise NotReady where they lack what is required."""
        cached = self._cached
        if cached is None or time.monotonic() - cached[0] > MAX_AGE_SECONDS:
            shape = read_shape(connection, own=self.own, configured=self.source)
            cached = self._cached = (time.monotonic(), source_tables_of(shape))
        return cached[1]

    def forget(self) -> None:
        """Read the source tables anew at the next use."""
        self._cached = None


def schemas_of(connection: Connection | Engine) -> Schemas:
    schemas: Schemas = connection.get_execution_options()[OPTION]
    return schemas


def source_tables(connection: Connection) -> SourceTables:
    return schemas_of(connection).source_tables(connection)


def statement(connection: Connection, template: str) -> TextClause:
    """Make a statement of a template in which `$training_files` and the like stand for tables."""
    return text(Template(template).substitute(_Names(connection)))


class _Names(dict[str, str]):
    """Our tables' qualified names; those of the source are looked up when one is used."""

    def __init__(self, connection: Connection) -> None:
        own = quoted(schemas_of(connection).own)
        super().__init__({name: f"{own}.{name}" for name in _OWN_NAMES})
        self._connection = connection

    def __missing__(self, name: str) -> str:
        return source_tables(self._connection).sql[name]
