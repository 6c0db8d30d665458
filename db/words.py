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
FEW = 2_000
PERSON = "scaffolding_snapshot #>> '{persona,name}'"
TOPIC = "scaffolding_snapshot #>> '{training_topic,name}'"


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
    """Reads all conversations; see `names_stamp`."""
    query = text(f"SELECT DISTINCT {TOPIC}, {PERSON} FROM conversations")  # noqa: S608
    topics, persons = _columns(connection.execute(query).all(), 2)
    return Names(topics=topics, persons=persons)


def names_stamp(connection: Connection) -> tuple[Any, ...]:
    """Is another one when conversations have come or gone."""
    query = text("SELECT count(*), max(created_at) FROM conversations")
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
    """Few conversations are named, which an index finds; many are compared with all at once."""
    jobs = text("""
        SELECT id FROM batch_jobs
        WHERE replace(lower(name), '_', ' ') LIKE :it OR id::text LIKE :it
    """)
    escaped = re.sub(r"([\\%_])", r"\\\1", word)
    found = connection.execute(jobs, {"it": f"%{escaped}%"}).scalars().all()
    if not found:
        return
    items = "SELECT i.conversation_id FROM batch_items i WHERE i.batch_job_id = ANY(:batches)"
    asked = {"batches": found, "limit": FEW + 1}
    held = connection.execute(text(f"{items} LIMIT :limit"), asked).scalars().all()
    if len(held) <= FEW:
        values[f"{name}_held"] = held
        yield f"c.conversation_id = ANY(:{name}_held)"
    else:
        values[f"{name}_batches"] = found
        yield f"c.conversation_id IN ({items.replace(':batches', f':{name}_batches')})"


def _of_id(word: str, name: str, values: dict[str, Any]) -> list[str]:
    """The range of ids that begin with the word, where it could begin one."""
    digits = word.replace("-", "")
    if not re.fullmatch(rf"[0-9a-f]{{4,{ID_LENGTH}}}", digits):
        return []
    values[f"{name}_from"] = UUID(digits.ljust(ID_LENGTH, "0"))
    values[f"{name}_to"] = UUID(digits.ljust(ID_LENGTH, "f"))
    return [f"c.conversation_id BETWEEN :{name}_from AND :{name}_to"]


def _plain(text: str) -> str:
    """Keys are written with underscores, and looked for with spaces."""
    return text.casefold().replace("_", " ")
