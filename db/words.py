"""The words that conversations are found by.

What occurs in keys and names is looked up first, in what little there is of it; the conversations
are then found by equality, which indexes serve. Reading all for a part of a word would take long.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

MOST_WORDS = 8
ID_LENGTH = 32
FEW = 5_000
"""Conversations of matching batches that are named; more are asked for their batches."""
PERSON = "scaffolding_snapshot #>> '{persona,name}'"
TOPIC = "scaffolding_snapshot #>> '{training_topic,name}'"
# Not as a join, for which all items would be read; and by the conversation's index: that of the
# batches would be searched once for each.
OF_BATCHES = """EXISTS (SELECT 1 FROM batch_items i WHERE i.conversation_id = c.conversation_id
    AND coalesce(i.batch_job_id) = ANY(:batches) OFFSET 0)"""


class Vocabulary(BaseModel):
    """The personas, arcs and topics that occur."""

    model_config = ConfigDict(frozen=True)

    personas: tuple[str, ...]
    arcs: tuple[str, ...]
    topics: tuple[str, ...]


class Names(BaseModel):
    """The names of topics and persons that occur."""

    model_config = ConfigDict(frozen=True)

    topics: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()


def read_vocabulary(connection: Connection) -> Vocabulary:
    # One pass over one index, and far fewer combinations than conversations.
    query = text("SELECT DISTINCT persona_key, emotional_arc_key, topic_key FROM conversations")
    personas, arcs, topics = _columns(connection.execute(query).all(), 3)
    return Vocabulary(personas=personas, arcs=arcs, topics=topics)


def read_names(connection: Connection) -> Names:
    """Reads all conversations; see `conversations_stamp`."""
    query = text(f"SELECT DISTINCT {TOPIC}, {PERSON} FROM conversations")  # noqa: S608
    topics, persons = _columns(connection.execute(query).all(), 2)
    return Names(topics=topics, persons=persons)


def conversations_stamp(connection: Connection) -> tuple[int, ...]:
    """Is another one some seconds after conversations were written, whoever wrote them."""
    query = text("""
        SELECT pg_stat_get_tuples_inserted(t), pg_stat_get_tuples_updated(t),
               pg_stat_get_tuples_deleted(t)
        FROM CAST('conversations' AS regclass) AS t
    """)
    return tuple(connection.execute(query).one())


def _columns(rows: Sequence[Any], count: int) -> list[tuple[str, ...]]:
    return [tuple(sorted({row[n] for row in rows if row[n]})) for n in range(count)]


def conditions_of_text(
    connection: Connection,
    sought: str,
    vocabulary: Vocabulary,
    names: Names,
    values: dict[str, Any],
) -> list[str]:
    """A condition on `conversations c` for each word; what it compares with goes to `values`."""
    columns = {
        "c.persona_key": vocabulary.personas,
        "c.emotional_arc_key": vocabulary.arcs,
        "c.topic_key": vocabulary.topics,
        f"(c.{TOPIC})": names.topics,
        f"(c.{PERSON})": names.persons,
    }
    conditions = []
    for number, word in enumerate(_plain(sought).split()[:MOST_WORDS]):
        name = f"word{number}"
        # The cheapest first: what one finds, the others are not asked for.
        either = [
            *_of_id(word, name, values),
            *_of_columns(word, columns, name, values),
            *_of_batches(connection, word, name, values),
        ]
        conditions.append(f"({' OR '.join(either) or 'false'})")
    return conditions


def _of_columns(
    word: str, columns: dict[str, tuple[str, ...]], name: str, values: dict[str, Any]
) -> Iterator[str]:
    for number, (column, texts) in enumerate(columns.items()):
        alike = [each for each in texts if word in _plain(each)]
        if alike:
            values[f"{name}_{number}"] = alike
            yield f"{column} = ANY(:{name}_{number})"


def _of_batches(
    connection: Connection, word: str, name: str, values: dict[str, Any]
) -> Iterator[str]:
    """Few conversations are named, which indexes find; of many, each is asked for its batches."""
    jobs = text("""
        SELECT id FROM batch_jobs
        WHERE replace(lower(name), '_', ' ') LIKE :part OR id BETWEEN :first AND :last
    """)
    escaped = re.sub(r"([\\%_])", r"\\\1", word)
    first, last = _ids_from(word) or (None, None)
    asked = {"part": f"%{escaped}%", "first": first, "last": last}
    found = connection.execute(jobs, asked).scalars().all()
    if not found:
        return
    items = text("""
        SELECT CASE WHEN count(*) <= :few
                    THEN coalesce(array_agg(conversation_id)::text, '{}') END
        FROM (SELECT conversation_id FROM batch_items WHERE batch_job_id = ANY(:batches)
              LIMIT :few + 1) AS held
    """)
    held = connection.execute(items, {"batches": found, "few": FEW}).scalar_one()
    if held is not None:
        values[f"{name}_held"] = held
        yield f"c.conversation_id = ANY(CAST(:{name}_held AS uuid[]))"
    else:
        values[f"{name}_batches"] = found
        yield OF_BATCHES.replace(":batches", f":{name}_batches")


def _of_id(word: str, name: str, values: dict[str, Any]) -> list[str]:
    ids = _ids_from(word)
    if ids is None:
        return []
    values[f"{name}_first"], values[f"{name}_last"] = ids
    return [f"c.conversation_id BETWEEN :{name}_first AND :{name}_last"]


def _ids_from(word: str) -> tuple[UUID, UUID] | None:
    """The range of ids that begin with the word, where it could begin one."""
    digits = word.replace("-", "")
    if not re.fullmatch(rf"[0-9a-f]{{4,{ID_LENGTH}}}", digits):
        return None
    return UUID(digits.ljust(ID_LENGTH, "0")), UUID(digits.ljust(ID_LENGTH, "f"))


def _plain(text: str) -> str:
    """Keys are written with underscores, and looked for with spaces."""
    return text.casefold().replace("_", " ")
