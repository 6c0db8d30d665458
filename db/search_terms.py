"""Turn the words of a search into conditions on conversations.

A word is looked up first among the keys, names and batches that occur, which are few. Conversations
are then found by equality, which indexes serve: a word that nothing has takes 3 ms instead of 185
with LIKE. All times in comments are medians at 100,000 conversations.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    any_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import NullType

from db.schemas import source_tables, statement
from db.source_tables import SourceTables

MAX_WORDS = 8
MAX_NAMED = 5_000
"""Conversations of matching batches that a query names by id, so that an index finds them.

More are looked up among the batches one by one. A page takes 10 ms instead of 62 when 2,750 are
named, and 12 ms instead of 240 when 100,000 are not.
"""
ID_LENGTH = 32


class KnownKeys(BaseModel):
    """The persona, arc and topic keys that occur."""

    model_config = ConfigDict(frozen=True)

    personas: tuple[str, ...]
    arcs: tuple[str, ...]
    topics: tuple[str, ...]


class KnownNames(BaseModel):
    """The names of topics and persons that occur."""

    model_config = ConfigDict(frozen=True)

    topics: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()


class SearchTerms(BaseModel):
    """All that words are looked up among, except batches."""

    model_config = ConfigDict(frozen=True)

    keys: KnownKeys
    names: KnownNames


def read_known_keys(connection: Connection) -> KnownKeys:
    conversation = source_tables(connection).conversations.c
    # All three in one pass over one index: 8 ms instead of 26.
    query = select(
        conversation.persona_key, conversation.emotional_arc_key, conversation.topic_key
    ).distinct()
    personas, arcs, topics = _columns(connection.execute(query).all(), 3)
    return KnownKeys(personas=personas, arcs=arcs, topics=topics)


def read_known_names(connection: Connection) -> KnownNames:
    """Read all conversations for their names; `conversations_stamp` says when to do it again."""
    conversation = source_tables(connection).conversations.c
    query = select(conversation.topic_name, conversation.persona_name).distinct()
    topics, persons = _columns(connection.execute(query).all(), 2)
    return KnownNames(topics=topics, persons=persons)


def conversations_stamp(connection: Connection) -> tuple[int, ...]:
    """Return counts that change some seconds after conversations were written, by whomever."""
    query = """
        SELECT pg_stat_get_tuples_inserted(t), pg_stat_get_tuples_updated(t),
               pg_stat_get_tuples_deleted(t)
        FROM CAST('$conversations_table' AS regclass) AS t
    """
    return tuple(connection.execute(statement(connection, query)).one())


def _columns(rows: Sequence[Any], count: int) -> list[tuple[str, ...]]:
    return [tuple(sorted({row[n] for row in rows if row[n]})) for n in range(count)]


def conditions_of_text(
    connection: Connection, search_text: str, terms: SearchTerms
) -> Iterator[ColumnElement[bool]]:
    """Yield one condition for each word of the text: a conversation that the word finds."""
    source = source_tables(connection)
    for word in _normalized(search_text).split()[:MAX_WORDS]:
        # The cheapest comes first, as PostgreSQL stops at the first that holds.
        yield or_(
            false(),
            *_by_id(source, word),
            *_by_keys_and_names(source, word, terms),
            *_by_batches(connection, source, word),
        )


def _by_id(source: SourceTables, word: str) -> Iterator[ColumnElement[bool]]:
    id_range = _ids_beginning_with(word)
    if id_range is not None:
        yield source.conversations.c.conversation_id.between(*id_range)


def _by_keys_and_names(
    source: SourceTables, word: str, terms: SearchTerms
) -> Iterator[ColumnElement[bool]]:
    known_values: dict[str, tuple[str, ...]] = {
        "persona_key": terms.keys.personas,
        "emotional_arc_key": terms.keys.arcs,
        "topic_key": terms.keys.topics,
        "topic_name": terms.names.topics,
        "persona_name": terms.names.persons,
    }
    for column, known in known_values.items():
        matching = [value for value in known if word in _normalized(value)]
        if matching:
            yield source.conversations.c[column] == any_(literal(matching, ARRAY(Text)))


def _by_batches(
    connection: Connection, source: SourceTables, word: str
) -> Iterator[ColumnElement[bool]]:
    batches = _batches_matching(connection, source, word)
    if not batches:
        return
    keys = _few_conversations_of(connection, source, batches)
    if keys is None:
        yield _is_in_any(source, batches)
    else:
        key = source.conversations.c.conversation_key
        yield key == any_(cast(literal(keys, NullType()), ARRAY(key.type)))


def _is_in_any(source: SourceTables, batches: Sequence[UUID]) -> ColumnElement[bool]:
    """Look a conversation's batches up among these.

    `coalesce` keeps PostgreSQL from searching the index of batches once for each of these: 6 ms
    instead of 85 for a last page, when 400 batches match. `OFFSET 0` keeps it from hashing all
    batch items when the word matches a key, too: 3 ms instead of 24 for a first page.
    """
    item = source.batch_items.alias().c
    return (
        select(literal_column("1"))
        .where(
            item.conversation_key == source.conversations.c.conversation_key,
            func.coalesce(item.batch_job_id)
            == any_(literal(batches, ARRAY(item.batch_job_id.type))),
        )
        .offset(literal_column("0"))
        .exists()
    )


def _batches_matching(connection: Connection, source: SourceTables, word: str) -> Sequence[UUID]:
    """Return the batches whose name contains the word, or whose id begins with it."""
    job = source.batch_jobs.c
    name = func.replace(func.lower(job.name), "_", " ")
    conditions = [name.contains(word, autoescape=True)]
    id_range = _ids_beginning_with(word)
    if id_range is not None:
        conditions.append(job.id.between(*id_range))
    return connection.execute(select(job.id).where(or_(*conditions))).scalars().all()


def _few_conversations_of(
    connection: Connection, source: SourceTables, batches: Sequence[UUID]
) -> str | None:
    """Return the keys of the batches' conversations, or None if they are more than MAX_NAMED.

    The keys stay text, as they only go back to PostgreSQL: a page takes 10 ms instead of 28 when
    2,750 are named.
    """
    item = source.batch_items.c
    keys = (
        select(item.conversation_key)
        .where(item.batch_job_id == any_(literal(batches, ARRAY(item.batch_job_id.type))))
        .limit(MAX_NAMED + 1)
        .subquery()
    )
    all_keys = func.coalesce(cast(func.array_agg(keys.c.conversation_key), Text), "{}")
    query = select(case((func.count() <= MAX_NAMED, all_keys))).select_from(keys)
    named: str | None = connection.execute(query).scalar_one()
    return named


def _ids_beginning_with(word: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last id that begin with the word, if ids can begin with it."""
    digits = word.replace("-", "")
    if not re.fullmatch(rf"[0-9a-f]{{4,{ID_LENGTH}}}", digits):
        return None
    return UUID(digits.ljust(ID_LENGTH, "0")), UUID(digits.ljust(ID_LENGTH, "f"))


def _normalized(text: str) -> str:
    """Fold case, and turn the underscores of keys into spaces."""
    return text.casefold().replace("_", " ")
