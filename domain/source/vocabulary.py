"""The enrichment states, and the v4 schema's enums, whose unknown words give warnings."""

from collections.abc import Iterator
from enum import StrEnum

from domain.findings import VersionWarning, shortened
from domain.source.conversation import Conversation


class EnrichmentStatus(StrEnum):
    """The state of a conversation's row, as the application sets it."""

    NOT_STARTED = "not_started"
    VALIDATION_FAILED = "validation_failed"
    VALIDATED = "validated"
    ENRICHMENT_IN_PROGRESS = "enrichment_in_progress"
    ENRICHED = "enriched"
    NORMALIZATION_FAILED = "normalization_failed"
    COMPLETED = "completed"


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

PERSONAS, ARCS = KNOWN["persona_archetype"], KNOWN["emotional_arc_key"]
PHASES, VALENCES = KNOWN["conversation_phase"], KNOWN["valence"]


def unknown_words(conversation_id: str, conversation: Conversation) -> Iterator[VersionWarning]:
    """Yield a warning for each place with a word that the schema's enum does not list."""
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
        if (word := getattr(dataset, field)) not in KNOWN[field]:
            yield field, word, f"dataset_metadata.{field}"
    for index, pair in enumerate(conversation.training_pairs):
        metadata, emotions = pair.conversation_metadata, pair.emotional_context.detected_emotions
        if (word := metadata.persona_archetype) not in PERSONAS:
            yield "persona_archetype", word, f"{_metadata(index)}.persona_archetype"
        if (word := metadata.emotional_arc_key) not in ARCS:
            yield "emotional_arc_key", word, f"{_metadata(index)}.emotional_arc_key"
        if (word := metadata.conversation_phase) not in PHASES:
            yield "conversation_phase", word, f"{_metadata(index)}.conversation_phase"
        if (word := emotions.valence) not in VALENCES:
            path = f"training_pairs[{index}].emotional_context.detected_emotions.valence"
            yield "valence", word, path


def _metadata(index: int) -> str:
    return f"training_pairs[{index}].conversation_metadata"
