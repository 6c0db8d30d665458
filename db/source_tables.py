"""Read the source tables in one way, whatever shape the application gave them.

Each table becomes a sub-select for a FROM clause. PostgreSQL flattens it, so an index on the
expressions serves; a view would keep the application from changing its own columns.

conversations  `conversation_id`, as people know it, and `conversation_key`, which batch items hold;
               `enrichment_status`, `enriched_file_path`, `quality_score`, `tier`, `created_at`,
               `persona_key`, `emotional_arc_key`, `topic_key`, `persona_name`, `topic_name`
batch_jobs     `id`, `name`
batch_items    `batch_job_id`, `conversation_key`, `position`, `created_at`; `conversation_id`,
               where it is what items hold
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    Numeric,
    Subquery,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.types import TypeEngine

from db.schema import quoted
from db.source_shape import Columns, SourceColumn, SourceShape, kind_of

NULL_TEXT = "CAST(NULL AS text)"
UUID_PATTERN = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""As PostgreSQL and Python write a UUID; text in another form would never be found by its id."""
CONVERTIBLE = {
    "numeric": {"integer", "bigint", "smallint", "real", "double precision"},
    "timestamptz": {"date"},
}
UNCHANGED = {
    "uuid": {"uuid"},
    "text": {"text", "character varying"},
    "numeric": {"numeric"},
    "timestamptz": {"timestamp with time zone", "timestamp without time zone"},
}


class UuidInText(TypeDecorator[UUID]):
    """A UUID that the source holds as text: compared as text, so that the column's index serves."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> UUID | None:  # noqa: ARG002
        return None if value is None else UUID(value)


ID_TYPES: dict[str, TypeEngine[Any]] = {"uuid": Uuid(), "text": UuidInText()}
KEY_TYPES: dict[str, TypeEngine[Any]] = {
    "uuid": Uuid(),
    "text": Text(),
    "bigint": BigInteger(),
    "integer": Integer(),
}


@dataclass(frozen=True, slots=True)
class SourceTables:
    shape: SourceShape
    sql: Mapping[str, str]
    """The sub-selects by table, as `db.schemas.statement` puts them into a template.

    With `id_type` and `batch_id_type`, the types of conversations' and batches' ids, and
    `conversations_table`, the table itself.
    """
    conversations: Subquery
    batch_jobs: Subquery
    batch_items: Subquery


def source_tables_of(shape: SourceShape) -> SourceTables:
    """Build the sub-selects for this shape."""
    return _Builder(shape).source_tables()


def offered_indexes(shape: SourceShape) -> list[str]:
    """Return indexes of the application's tables that make gate, lists and search quick.

    Trainfold never creates them: the tables are the application's.
    """
    columns = shape.tables.get("conversations", {})
    if shape.is_ours or not columns:
        return []
    plain = {
        "created_at": "timestamptz",
        "quality_score": "numeric",
        "enrichment_status": "text",
        "tier": "text",
    }
    unchanged = {name: name for name in plain if _column(columns, name, plain[name]) == name}
    keys = unchanged | _words(shape) | _names(shape)
    on_conversations = {
        name: f"({key}), conversation_id" for name, key in keys.items() if key != NULL_TEXT
    }
    on_items = {
        "conversation_id": "conversation_id, batch_job_id",
        "batch_job_id": "batch_job_id, conversation_id",
    }
    return [
        f"CREATE INDEX IF NOT EXISTS trainfold_{table}_{name} "
        f"ON {quoted(shape.schema)}.{table} ({keys});"
        for table, indexes in (("conversations", on_conversations), ("batch_items", on_items))
        if table in shape.tables
        for name, keys in indexes.items()
    ]


class _Builder:
    """Writes the sub-selects for one shape."""

    def __init__(self, shape: SourceShape) -> None:
        self._shape = shape
        self._conversations = shape.tables["conversations"]
        self._jobs = shape.tables.get("batch_jobs", {})
        self._items = shape.tables.get("batch_items", {})
        self._id_type = _id_type(self._conversations["conversation_id"])
        self._batch_id_type = _id_type(self._jobs.get("id"), self._items.get("batch_job_id"))
        self._key_type = _key_type(
            self._conversations[shape.item_refers_to], self._items.get("conversation_id")
        )

    def source_tables(self) -> SourceTables:
        conversations, jobs, items = self._conversations_sql(), self._jobs_sql(), self._items_sql()
        id, batch_id = ID_TYPES[self._id_type], ID_TYPES[self._batch_id_type]
        key, time = KEY_TYPES[self._key_type], DateTime(timezone=True)
        words = dict.fromkeys((*_words(self._shape), *_names(self._shape)), Text())
        return SourceTables(
            shape=self._shape,
            sql={
                "conversations": f"({conversations})",
                "batch_jobs": f"({jobs})",
                "batch_items": f"({items})",
                "conversations_table": f"{quoted(self._shape.schema)}.conversations",
                "id_type": self._id_type,
                "batch_id_type": self._batch_id_type,
            },
            conversations=text(conversations)
            .columns(
                conversation_id=id,
                conversation_key=key,
                enrichment_status=Text(),
                enriched_file_path=Text(),
                quality_score=Numeric(),
                tier=Text(),
                created_at=time,
                **words,
            )
            .subquery("conversation"),
            batch_jobs=text(jobs).columns(id=batch_id, name=Text()).subquery("job"),
            batch_items=text(items)
            .columns(
                batch_job_id=batch_id,
                conversation_key=key,
                conversation_id=id,
                position=Integer(),
                created_at=time,
            )
            .subquery("item"),
        )

    def _conversations_sql(self) -> str:
        columns = self._conversations
        conversation_id = _column(columns, "conversation_id", self._id_type)
        selected = {
            "conversation_id": conversation_id,
            "conversation_key": _key(columns, self._shape.item_refers_to, self._key_type),
            "enrichment_status": _column(columns, "enrichment_status", "text"),
            "enriched_file_path": _column(columns, "enriched_file_path", "text"),
            "quality_score": _column(columns, "quality_score", "numeric"),
            "tier": _column(columns, "tier", "text"),
            "created_at": _column(columns, "created_at", "timestamptz"),
            **_words(self._shape),
            **_names(self._shape),
        }
        condition = _is_uuid(conversation_id, self._id_type)
        if not condition and not columns["conversation_id"].is_required:
            condition = " WHERE conversation_id IS NOT NULL"
        return self._select("conversations", selected, condition)

    def _jobs_sql(self) -> str:
        id = _column(self._jobs, "id", self._batch_id_type)
        selected = {"id": id, "name": _column(self._jobs, "name", "text")}
        return self._select("batch_jobs", selected, _is_uuid(id, self._batch_id_type))

    def _items_sql(self) -> str:
        batch_job_id = _column(self._items, "batch_job_id", self._batch_id_type)
        holds_id = self._shape.item_refers_to == "conversation_id"
        selected = {
            "batch_job_id": batch_job_id,
            "conversation_key": _key(self._items, "conversation_id", self._key_type),
            "conversation_id": _column(
                self._items if holds_id else {}, "conversation_id", self._id_type
            ),
            "position": "position" if "position" in self._items else "CAST(NULL AS integer)",
            "created_at": _column(self._items, "created_at", "timestamptz"),
        }
        return self._select("batch_items", selected, _is_uuid(batch_job_id, self._batch_id_type))

    def _select(self, table: str, selected: Mapping[str, str], condition: str) -> str:
        columns = ", ".join(
            name if name == expression else f"{expression} AS {name}"
            for name, expression in selected.items()
        )
        if table not in self._shape.tables:
            return f"SELECT {columns} WHERE false"
        return f"SELECT {columns} FROM {quoted(self._shape.schema)}.{table}{condition}"  # noqa: S608


def _is_uuid(expression: str, id_type: str) -> str:
    """Return a WHERE clause that leaves out text that is no UUID."""
    return f" WHERE {expression} ~ '{UUID_PATTERN}'" if id_type == "text" else ""


def _words(shape: SourceShape) -> dict[str, str]:
    """Return the keys of persona, arc and topic, out of the snapshot where the row has none.

    Our own rows have them, so the plain columns keep their indexes.
    """
    paths = {
        "persona_key": "persona,persona_key",
        "emotional_arc_key": "emotional_arc,arc_key",
        "topic_key": "training_topic,topic_key",
    }
    columns = shape.tables["conversations"]
    if shape.is_ours:
        return {name: _column(columns, name, "text") for name in paths}
    words = {}
    for name, path in paths.items():
        places = (_column(columns, name, "text"), _in_snapshot(columns, path))
        filled = [f"nullif({place}, '')" for place in places if place != NULL_TEXT]
        words[name] = f"coalesce({', '.join(filled)})" if filled else NULL_TEXT
    return words


def _names(shape: SourceShape) -> dict[str, str]:
    columns = shape.tables["conversations"]
    return {
        "topic_name": _in_snapshot(columns, "training_topic,name"),
        "persona_name": _in_snapshot(columns, "persona,name"),
    }


def _in_snapshot(columns: Columns, path: str) -> str:
    snapshot = columns.get("scaffolding_snapshot")
    if snapshot is None or snapshot.type not in ("json", "jsonb"):
        return NULL_TEXT
    return f"scaffolding_snapshot #>> '{{{path}}}'"


def _column(columns: Columns, name: str, wanted: str) -> str:
    """Return a column as it is where its type allows that, otherwise converted or NULL."""
    column = columns.get(name)
    if column is not None and column.type in UNCHANGED[wanted]:
        return name
    is_convertible = wanted == "text" or (
        column is not None and column.type in CONVERTIBLE.get(wanted, ())
    )
    return f"CAST({name if column and is_convertible else 'NULL'} AS {wanted})"


def _key(columns: Columns, name: str, key_type: str) -> str:
    """Return what links conversations and batch items, in a type that both have."""
    if name in columns and kind_of(columns[name]) == key_type:
        return name
    return f"CAST({name if name in columns else 'NULL'} AS {key_type})"


def _key_type(conversations: SourceColumn, items: SourceColumn | None) -> str:
    kind = kind_of(conversations)
    return kind if kind in KEY_TYPES and (items is None or kind_of(items) == kind) else "text"


def _id_type(*columns: SourceColumn | None) -> str:
    return "uuid" if all(column is None or column.type == "uuid" for column in columns) else "text"
