"""The words that the v4 schema's enums list. Others are allowed, and reported as warnings."""

from collections.abc import Iterator

from domain.conversation import Conversation
from domain.findings import VersionWarning, shortened

KNOWN: dict[str, frozenset[str]] = {
    "persona_archetype": frozenset(
        {"pragmatic_optimist", "anxious_planner", "overwhelmed_avoider"}
    ),
    "emotional_arc_key": frozenset(
        {
            "confusion_to_clarity",
            "shame_to_acceptance",
            "fear_to_confidence",
            "overwhelm_to_empowerment",
        }
    ),
    "conversation_phase": frozenset(
        {
            "initial_opportunity_exploration",
            "initial_shame_revelation",
            "initial_crisis_disclosure",
            "exploring_deeper_concern",
            "practical_implementation",
            "commitment_and_closure",
        }
    ),
    "valence": frozenset({"positive", "negative", "mixed"}),
    "conversation_source": frozenset(
        {"synthetic_platform_generated", "synthetic_expert_authored", "real_anonymized"}
    ),
    "quality_tier": frozenset({"seed_dataset", "production", "experimental", "rejected"}),
    "target_use": frozenset({"LoRA fine-tuning for emotionally intelligent chatbot"}),
}


def unknown_words(conversation_id: str, conversation: Conversation) -> Iterator[VersionWarning]:
    """One warning for each place with a word that the schema's enum does not list."""
    for field, word, path in _words(conversation):
        if word not in KNOWN[field]:
            yield VersionWarning(
                conversation_id=conversation_id,
                code="unknown-word",
                message=f"{field} “{shortened(word)}” is not in the v4 vocabulary",
                path=path,
            )


def _words(conversation: Conversation) -> Iterator[tuple[str, str, str]]:
    dataset = conversation.dataset_metadata
    for field in ("conversation_source", "quality_tier", "target_use"):
        yield field, getattr(dataset, field), f"dataset_metadata.{field}"
    for index, pair in enumerate(conversation.training_pairs):
        for field in ("persona_archetype", "emotional_arc_key", "conversation_phase"):
            path = f"training_pairs[{index}].conversation_metadata.{field}"
            yield field, getattr(pair.conversation_metadata, field), path
        path = f"training_pairs[{index}].emotional_context.detected_emotions.valence"
        yield "valence", pair.emotional_context.detected_emotions.valence, path
