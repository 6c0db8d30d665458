"""The words that conversations are found by."""

import re
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

MOST_WORDS = 8
ID_LENGTH = 32


class Vocabulary(BaseModel):
    """The personas, arcs and topics that occur."""

    model_config = ConfigDict(frozen=True)

    personas: tuple[str, ...]
    arcs: tuple[str, ...]
    topics: tuple[str, ...]


def read_vocabulary(connection: Connection) -> Vocabulary:
    # One pass over one index, and far fewer combinations than conversations.
    query = text("SELECT DISTINCT persona_key, emotional_arc_key, topic_key FROM conversations")
    rows = connection.execute(query).all()
    personas, arcs, topics = (
        (tuple(sorted({word for word in words if word})) for words in zip(*rows, strict=True))
        if rows
        else ((), (), ())
    )
    return Vocabulary(personas=personas, arcs=arcs, topics=topics)


def conditions_of_text(sought: str, vocabulary: Vocabulary, values: dict[str, Any]) -> list[str]:
    """A condition on `conversations c` for each word; what it compares with goes to `values`."""
    words = sought.lower().replace("_", " ").split()[:MOST_WORDS]
    return [
        _condition(word, vocabulary, f"word{number}", values) for number, word in enumerate(words)
    ]


def _condition(word: str, vocabulary: Vocabulary, name: str, values: dict[str, Any]) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", word)
    values[name] = f"%{escaped}%"
    either = [*_of_keys(word, vocabulary, name, values), *_of_id(word, name, values)]
    either.append(
        f"""c.conversation_id IN (
            SELECT of_it.conversation_id
            FROM batch_items of_it JOIN batch_jobs job ON job.id = of_it.batch_job_id
            WHERE lower(job.name) LIKE :{name} OR job.id::text LIKE :{name})"""  # noqa: S608
    )
    either += [
        # In the collation "C", which folds A to Z only, this costs a fraction.
        f"lower((c.scaffolding_snapshot #>> '{{{place},name}}') COLLATE \"C\") LIKE :{name}"
        for place in ("training_topic", "persona")
    ]
    return f"({' OR '.join(either)})"


def _of_keys(word: str, vocabulary: Vocabulary, name: str, values: dict[str, Any]) -> list[str]:
    """Keys that have the word in them are looked up here, so that the rows need no text search."""
    columns = {
        "persona_key": vocabulary.personas,
        "emotional_arc_key": vocabulary.arcs,
        "topic_key": vocabulary.topics,
    }
    found = []
    for column, keys in columns.items():
        alike = [key for key in keys if word in key.lower().replace("_", " ")]
        if alike:
            values[f"{name}_{column}"] = alike
            found.append(f"c.{column} = ANY(:{name}_{column})")
    return found


def _of_id(word: str, name: str, values: dict[str, Any]) -> list[str]:
    """The range of ids that begin with the word, where it could begin one."""
    digits = word.replace("-", "")
    if not re.fullmatch(rf"[0-9a-f]{{4,{ID_LENGTH}}}", digits):
        return []
    values[f"{name}_from"] = UUID(digits.ljust(ID_LENGTH, "0"))
    values[f"{name}_to"] = UUID(digits.ljust(ID_LENGTH, "f"))
    return [f"c.conversation_id BETWEEN :{name}_from AND :{name}_to"]
