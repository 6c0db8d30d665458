"""A full training file back to individual conversations, as `import` needs it."""

from typing import Any

import orjson

from domain.source.conversation import VERTICAL

TARGET_USE = "LoRA fine-tuning for emotionally intelligent chatbot"


def is_full_file(value: Any) -> bool:
    """Tell whether the JSON value is a full training file rather than one conversation."""
    return isinstance(value, dict) and isinstance(value.get("conversations"), list)


def split(value: dict[str, Any]) -> list[tuple[bytes, str | None]]:
    """Turn each conversation into an individual file, with its batch id; pairs stay as they are.

    What a full file does not keep of the individual one (source, notes) is filled in. The result
    is not validated: it goes through the same validation as any other file.
    """
    return [
        (_individual(conversation, value.get("consultant_profile")), _batch_id(conversation))
        for conversation in value["conversations"]
    ]


def _individual(conversation: Any, profile: Any) -> bytes:
    metadata = _dictionary(_dictionary(conversation).get("conversation_metadata"))
    known = _dictionary(profile)
    individual = {
        "dataset_metadata": {
            "dataset_name": f"fp_conversation_{metadata.get('conversation_id')}",
            "version": "1.0.0",
            "created_date": metadata.get("created_date"),
            "vertical": VERTICAL,
            "consultant_persona": f"{known.get('name')} - {known.get('business')}",
            "target_use": TARGET_USE,
            "conversation_source": "synthetic_platform_generated",
            "quality_tier": metadata.get("quality_tier"),
            "total_conversations": 1,
            "total_turns": metadata.get("total_turns"),
            "notes": "Split from a full training file",
        },
        "consultant_profile": profile,
        "training_pairs": _dictionary(conversation).get("training_pairs"),
    }
    return orjson.dumps(individual, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _batch_id(conversation: Any) -> str | None:
    metadata = _dictionary(_dictionary(conversation).get("conversation_metadata"))
    batch_id = metadata.get("batch_id")
    return batch_id if isinstance(batch_id, str) else None


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
