"""The rows of `examples.parquet`: a target with its prompt, its labels and where it is from."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from domain.exports import Side
from domain.exports.chat import Chat, examples
from domain.exports.lines import message_of, messages_of
from domain.source.conversation import TrainingPair
from domain.versions.record import Member

COLUMNS: Mapping[str, str] = {
    "prompt": "messages",
    "completion": "messages",
    "id": "string",
    "conversation_id": "string",
    "turn_number": "int64",
    "persona": "string",
    "emotional_arc": "string",
    "topic": "string",
    "quality_score": "float64",
    "human_reviewed": "bool",
    "reviewer_notes": "string",
    "emotion_primary": "string",
    "emotion_intensity": "float64",
    "extra": "string",
    "split": "string",
    "since_version": "int64",
    "batch_id": "string",
    "source_object": "string",
    "source_sha256": "string",
}
"""The schema of every file, whatever a version lacks: two files can be concatenated."""


def example_rows(
    chat: Chat, conversation: Mapping[str, Any], member: Member, *, side: Side | None
) -> Iterator[dict[str, Any]]:
    """Yield a row for each target of a conversation of the full JSON, in its order."""
    metadata = conversation["conversation_metadata"]
    answered = [pair for pair in conversation["training_pairs"] if pair["target_response"]]
    for pair, (prompt, target) in zip(answered, examples(chat), strict=True):
        yield {
            "prompt": messages_of(chat, prompt),
            "completion": [message_of(target)],
            "id": f"{pair['id']}_{member.line_suffix}",
            "conversation_id": chat.conversation_id,
            **_labels(pair),
            "split": side,
            "since_version": member.added_in,
            "batch_id": metadata.get("batch_id"),
            "source_object": metadata["source_file"],
            # Versions record digests of what they hold, and none of the files it was read from.
            "source_sha256": None,
        }


def _labels(pair: Mapping[str, Any]) -> dict[str, Any]:
    scaffolding, training = pair["conversation_metadata"], pair["training_metadata"]
    emotions = pair["emotional_context"]["detected_emotions"]
    unknown = {key: value for key, value in pair.items() if key not in TrainingPair.model_fields}
    return {
        "turn_number": pair["turn_number"],
        "persona": scaffolding["persona_archetype"],
        "emotional_arc": scaffolding["emotional_arc_key"],
        "topic": scaffolding["training_topic_key"],
        "quality_score": float(training["quality_score"]),
        "human_reviewed": training["human_reviewed"],
        "reviewer_notes": training["reviewer_notes"],
        "emotion_primary": emotions["primary"],
        "emotion_intensity": float(emotions["intensity"]),
        "extra": orjson.dumps(unknown).decode(),
    }
