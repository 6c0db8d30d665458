"""Conversations a page at a time: filtered, sorted by any column, counted; quick on large tables.

Empty fields come last in both directions. They are a query of their own, so that one index
serves both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from db.words import Names, Vocabulary, conditions_of_text

Column = Literal[
    "title", "persona", "arc", "topic", "tier", "quality", "status", "batch", "created"
]
COLUMNS: tuple[Column, ...] = get_args(Column)

# Written out, so that no text from outside ever becomes SQL.
KEYS: dict[Column, str] = {
    "title": "c.scaffolding_snapshot #>> '{training_topic,name}'",
    "persona": "c.persona_key",
    "arc": "c.emotional_arc_key",
    "topic": "c.topic_key",
    "tier": "c.tier",
    "quality": "c.quality_score",
    "status": "c.enrichment_status",
    "batch": "first.batch_job_id",
    "created": "c.created_at",
}
CONDITIONS = {
    "batch_id": "EXISTS (SELECT 1 FROM batch_items of_batch "
    "WHERE of_batch.batch_job_id = :batch_id AND of_batch.conversation_id = c.conversation_id)",
    "status": "c.enrichment_status = :status",
    "persona": "c.persona_key = :persona",
    "arc": "c.emotional_arc_key = :arc",
    "topic": "c.topic_key = :topic",
    "not_in": "NOT EXISTS (SELECT 1 FROM training_file_conversations held "
    "WHERE held.training_file_id = :not_in AND held.conversation_id = c.conversation_id "
    "AND held.removed_in IS NULL)",
}
CONVERSATIONS = "conversations c"
# A conversation of several batches stands with the one whose id comes first.
FIRST_BATCHES = """batch_items first
    JOIN conversations c ON c.conversation_id = first.conversation_id
     AND NOT EXISTS (SELECT 1 FROM batch_items earlier
                     WHERE earlier.conversation_id = first.conversation_id
                       AND earlier.batch_job_id < first.batch_job_id)"""
WITHOUT_BATCH = """NOT EXISTS (SELECT 1 FROM batch_items some_batch
                               WHERE some_batch.conversation_id = c.conversation_id)"""
STRIDE = 500
REACH = 2_000
"""Conversations that pages lead to, and that are counted: what lies beyond is never read."""


Words = tuple[Vocabulary, Names]


class Filters(BaseModel):
    """Which conversations; what is None or empty does not filter."""

    model_config = ConfigDict(frozen=True)

    batch_id: UUID | None = None
    status: str | None = None
    persona: str | None = None
    arc: str | None = None
    topic: str | None = None
    text: str = ""
    """Words that must all occur: in a name, a key, a batch's name; or begin its or a batch's id."""
    not_in: UUID | None = None
    """A training file that they are not in."""


class Order(BaseModel):
    model_config = ConfigDict(frozen=True)

    by: Column = "created"
    descending: bool = True

    @property
    def way(self) -> str:
        return "DESC" if self.descending else "ASC"


@dataclass(frozen=True, slots=True)
class Page:
    total: int
    """Of all pages, counted up to REACH + 1."""
    ids: Sequence[UUID]


def page(
    connection: Connection,
    filters: Filters,
    order: Order,
    words: Words,
    *,
    limit: int,
    offset: int = 0,
) -> Page:
    """The conversations that match, in order."""
    query = _Query(connection, filters, order, words)
    return Page(query.count(CONVERSATIONS, limit=REACH + 1), query.listed(limit, offset))


def all_ids(
    connection: Connection, filters: Filters, order: Order, words: Words
) -> Iterator[list[UUID]]:
    """The conversations that pages lead to, in order, some hundred at a time."""
    query = _Query(connection, filters, order, words)
    for offset in range(0, REACH, STRIDE):
        if not (found := query.listed(min(STRIDE, REACH - offset), offset)):
            return
        yield found


class _Query:
    def __init__(
        self, connection: Connection, filters: Filters, order: Order, words: Words
    ) -> None:
        self._connection = connection
        self._order = order
        self._by_batch = order.by == "batch"
        self._key = KEYS[order.by]
        self._values: dict[str, Any] = filters.model_dump(exclude_none=True, exclude={"text"})
        self._conditions = [sql for name, sql in CONDITIONS.items() if name in self._values]
        self._conditions += conditions_of_text(connection, filters.text, *words, self._values)

    def count(self, source: str, *conditions: str, limit: int | None = None) -> int:
        found = f"SELECT 1 FROM {source} WHERE {self._where(*conditions)} LIMIT :limit"  # noqa: S608
        values = self._values | {"limit": limit}
        query = text(f"SELECT count(*) FROM ({found}) AS found")  # noqa: S608
        return int(self._connection.execute(query, values).scalar_one())

    def listed(self, limit: int, offset: int) -> list[UUID]:
        """Those that have a value in the column, as an index gives them, and then the others."""
        source = FIRST_BATCHES if self._by_batch else CONVERSATIONS
        has_value = "true" if self._by_batch else f"{self._key} IS NOT NULL"
        tie = f"{'first' if self._by_batch else 'c'}.conversation_id"
        found = self._ids(
            f"FROM {source} WHERE {self._where(has_value)} "
            f"ORDER BY {self._key} {self._order.way}, {tie} {self._order.way}",
            limit,
            offset,
        )
        if len(found) == limit:
            return found
        before = 0 if found or not offset else offset - self.count(source, has_value)
        has_none = WITHOUT_BATCH if self._by_batch else f"{self._key} IS NULL"
        empty = f"FROM {CONVERSATIONS} WHERE {self._where(has_none)} ORDER BY c.conversation_id"
        return found + self._ids(empty, limit - len(found), before)

    def _ids(self, query: str, limit: int, offset: int) -> list[UUID]:
        values = self._values | {"limit": limit, "offset": offset}
        limited = text(f"SELECT c.conversation_id {query} LIMIT :limit OFFSET :offset")
        return list(self._connection.execute(limited, values).scalars())

    def _where(self, *more: str) -> str:
        return " AND ".join([*self._conditions, *more]) or "true"
