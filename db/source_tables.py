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
from db.source_shape import SourceColumn, SourceShape, kind_of

Columns = Mapping[str, SourceColumn]

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
    id_type = _uuid_or_text(shape.tables["conversations"]["conversation_id"])
    batch_id_type = _batch_id_type(shape)
    key_type = _key_type(shape)
    conversations = _conversations(shape, id_type, key_type)
    batch_jobs = _batch_jobs(shape, batch_id_type)
    batch_items = _batch_items(shape, batch_id_type, key_type, id_type)
    return SourceTables(
        shape=shape,
        sql={
            "conversations": f"({conversations})",
            "batch_jobs": f"({batch_jobs})",
            "batch_items": f"({batch_items})",
            "conversations_table": f"{quoted(shape.schema)}.conversations",
            "id_type": id_type,
            "batch_id_type": batch_id_type,
        },
        conversations=text(conversations)
        .columns(
            conversation_id=ID_TYPES[id_type],
            conversation_key=KEY_TYPES[key_type],
            enrichment_status=Text(),
            enriched_file_path=Text(),
            quality_score=Numeric(),
            tier=Text(),
            created_at=DateTime(timezone=True),
            **dict.fromkeys((*_words(shape), *_names(shape)), Text()),
        )
        .subquery("conversation"),
        batch_jobs=text(batch_jobs)
        .columns(id=ID_TYPES[batch_id_type], name=Text())
        .subquery("job"),
        batch_items=text(batch_items)
        .columns(
            batch_job_id=ID_TYPES[batch_id_type],
            conversation_key=KEY_TYPES[key_type],
            conversation_id=ID_TYPES[id_type],
            position=Integer(),
            created_at=DateTime(timezone=True),
        )
        .subquery("item"),
    )


def offered_indexes(tables: SourceTables) -> list[str]:
    """Return indexes of the application's tables that make gate, lists and search quick.

    Trainfold never creates them: the tables are the application's.
    """
    shape = tables.shape
    if shape.is_ours:
        return []
    columns = shape.tables["conversations"]
    plain = ("created_at", "quality_score", "enrichment_status", "tier")
    keys = {name: name for name in plain if name in columns} | _words(shape) | _names(shape)
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


def _conversations(shape: SourceShape, id_type: str, key_type: str) -> str:
    columns = shape.tables["conversations"]
    conversation_id = _column(columns, "conversation_id", id_type)
    selected = {
        "conversation_id": conversation_id,
        "conversation_key": _key(columns, shape.item_refers_to, key_type),
        "enrichment_status": _column(columns, "enrichment_status", "text"),
        "enriched_file_path": _column(columns, "enriched_file_path", "text"),
        "quality_score": _column(columns, "quality_score", "numeric"),
        "tier": _column(columns, "tier", "text"),
        "created_at": _column(columns, "created_at", "timestamptz"),
        **_words(shape),
        **_names(shape),
    }
    condition = None
    if id_type == "text":
        condition = f"{conversation_id} ~ '{UUID_PATTERN}'"
    elif not columns["conversation_id"].is_required:
        condition = "conversation_id IS NOT NULL"
    return _select(shape, "conversations", selected, condition)


def _batch_jobs(shape: SourceShape, batch_id_type: str) -> str:
    columns = shape.tables.get("batch_jobs", {})
    id = _column(columns, "id", batch_id_type)
    return _select(
        shape,
        "batch_jobs",
        {"id": id, "name": _column(columns, "name", "text")},
        f"{id} ~ '{UUID_PATTERN}'" if batch_id_type == "text" else None,
    )


def _batch_items(shape: SourceShape, batch_id_type: str, key_type: str, id_type: str) -> str:
    columns = shape.tables.get("batch_items", {})
    batch_job_id = _column(columns, "batch_job_id", batch_id_type)
    holds_id = shape.item_refers_to == "conversation_id"
    selected = {
        "batch_job_id": batch_job_id,
        "conversation_key": _key(columns, "conversation_id", key_type),
        "conversation_id": _column(columns if holds_id else {}, "conversation_id", id_type),
        "position": "position" if "position" in columns else "CAST(NULL AS integer)",
        "created_at": _column(columns, "created_at", "timestamptz"),
    }
    condition = f"{batch_job_id} ~ '{UUID_PATTERN}'" if batch_id_type == "text" else None
    return _select(shape, "batch_items", selected, condition)


def _select(
    shape: SourceShape, table: str, selected: Mapping[str, str], condition: str | None
) -> str:
    columns = ", ".join(
        name if name == expression else f"{expression} AS {name}"
        for name, expression in selected.items()
    )
    if table not in shape.tables:
        return f"SELECT {columns} WHERE false"
    where = f" WHERE {condition}" if condition else ""
    return f"SELECT {columns} FROM {quoted(shape.schema)}.{table}{where}"  # noqa: S608 - names


def _words(shape: SourceShape) -> dict[str, str]:
    """Return the keys of persona, arc and topic, out of the snapshot where the row has none.

    Our own rows have them, so the plain columns keep their indexes.
    """
    paths = {
        "persona_key": "persona,persona_key",
        "emotional_arc_key": "emotional_arc,arc_key",
        "topic_key": "training_topic,topic_key",
    }
    if shape.is_ours:
        return {name: name for name in paths}
    columns = shape.tables["conversations"]
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


def _key_type(shape: SourceShape) -> str:
    kind = kind_of(shape.tables["conversations"][shape.item_refers_to])
    items = shape.tables.get("batch_items")
    same = items is None or kind_of(items["conversation_id"]) == kind
    return kind if same and kind in KEY_TYPES else "text"


def _batch_id_type(shape: SourceShape) -> str:
    ids = [
        shape.tables[table][column]
        for table, column in (("batch_jobs", "id"), ("batch_items", "batch_job_id"))
        if table in shape.tables
    ]
    return "text" if "text" in map(_uuid_or_text, ids) else "uuid"


def _uuid_or_text(column: SourceColumn) -> str:
    return "uuid" if column.type == "uuid" else "text"
