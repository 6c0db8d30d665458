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
    for field, word, path in _unknown(conversation):
        yield VersionWarning(
            conversation_id=conversation_id,
            code="unknown-word",
            message=f"{field} “{shortened(word)}” is not in the v4 vocabulary",
            path=path,
        )


def _unknown(conversation: Conversation) -> Iterator[tuple[str, str, str]]:
    dataset = conversation.dataset_metadata
    for field in ("conversation_source", "quality_tier", "target_use"):
        word = getattr(dataset, field)
        if word not in KNOWN[field]:
            yield field, word, f"dataset_metadata.{field}"
    for index, pair in enumerate(conversation.training_pairs):
        metadata = pair.conversation_metadata
        for field in ("persona_archetype", "emotional_arc_key", "conversation_phase"):
            word = getattr(metadata, field)
            if word not in KNOWN[field]:
                yield field, word, f"training_pairs[{index}].conversation_metadata.{field}"
        valence = pair.emotional_context.detected_emotions.valence
        if valence not in KNOWN["valence"]:
            path = f"training_pairs[{index}].emotional_context.detected_emotions.valence"
            yield "valence", valence, path
