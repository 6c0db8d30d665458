"""The individual v4 conversation file: its closed structure, as strict pydantic models.

Source: individual-conversation-v4 JSON Schema. Words that its enums list but real files go beyond
are plain strings here (see `vocabulary`). The models only check; what is written later are the
parsed values themselves, so that keys unknown to the models are carried along.
"""

from datetime import date
from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field
from typing_extensions import TypedDict

VERTICAL = "financial_planning_consultant"
META = "_meta"
"""The key of the JSONL's first line. Trainers skip every line that has it, so no pair may."""


def _real_day(text: str) -> str:
    date.fromisoformat(text)
    return text


def _not_blank(text: str) -> str:
    if not text or text.isspace():
        raise ValueError("must not be blank")
    return text


def _not_only_blanks(text: str) -> str:
    if text.isspace():
        raise ValueError("must not consist of blanks")
    return text


Score = Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Turn = Annotated[int, Field(ge=1)]
# These end up in database columns and as keys of statistics.
Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\p{Cc}\p{Zl}\p{Zp}]*$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_real_day)]
NotBlank = Annotated[str, AfterValidator(_not_blank)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Leaf(TypedDict):
    """A part that stays a dict, as there are many, and a dict costs half of a model."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]


class DatasetMetadata(_Part):
    dataset_name: Annotated[
        str,
        Field(
            pattern=r"^fp_conversation_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
        ),
    ]
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    created_date: Day
    vertical: Literal["financial_planning_consultant"]
    consultant_persona: str
    target_use: str
    conversation_source: str
    quality_tier: str
    # Not Literal[1]: that takes true and 1.0 for 1.
    total_conversations: Annotated[int, Field(ge=1, le=1)]
    total_turns: Turn
    notes: str


class CorePhilosophy(_Leaf):
    principle_1: str
    principle_2: str
    principle_3: str
    principle_4: str
    principle_5: str


class CommunicationStyle(_Leaf):
    tone: str
    techniques: Annotated[list[str], Field(min_length=1), FailFast()]
    avoid: Annotated[list[str], Field(min_length=1), FailFast()]


class ConsultantProfile(_Part):
    name: Key
    business: Key
    expertise: str
    years_experience: Annotated[int, Field(ge=0)]
    core_philosophy: CorePhilosophy
    communication_style: CommunicationStyle


class PairConversationMetadata(_Part):
    client_persona: Key
    persona_archetype: Key
    client_background: str
    emotional_arc: Key
    emotional_arc_key: Key
    training_topic: Key
    training_topic_key: Key
    session_context: str
    conversation_phase: str
    expected_outcome: str


class EmotionalState(_Leaf):
    primary: str
    secondary: NotRequired[str]
    intensity: Share


class HistoryTurn(_Leaf):
    turn: Turn
    role: Literal["user", "assistant"]
    content: str
    emotional_state: EmotionalState


class DetectedEmotions(_Part):
    primary: str
    primary_confidence: Share
    secondary: str = ""
    secondary_confidence: Share = 0
    intensity: Share
    valence: str


class EmotionalContext(_Part):
    detected_emotions: DetectedEmotions


class QualityCriteria(_Leaf):
    empathy_score: Score
    clarity_score: Score
    appropriateness_score: Score
    brand_voice_alignment: Score


class TrainingMetadata(_Part):
    difficulty_level: str
    key_learning_objective: str
    demonstrates_skills: Annotated[list[str], FailFast()]
    conversation_turn: Turn
    emotional_progression_target: str
    quality_score: Score
    quality_criteria: QualityCriteria
    human_reviewed: bool
    reviewer_notes: str | None
    use_as_seed_example: bool
    generate_variations_count: Annotated[int, Field(ge=0)]


class TrainingPair(_Part):
    id: Annotated[str, Field(min_length=1)]
    conversation_id: str
    turn_number: Turn
    conversation_metadata: PairConversationMetadata
    system_prompt: Annotated[str, Field(min_length=100)]
    # Of a long list that is all wrong, the first error is enough (invariant 13).
    conversation_history: Annotated[list[HistoryTurn], FailFast()]
    current_user_input: NotBlank
    emotional_context: EmotionalContext
    # An empty target is a pair without an example; one of blanks only would be a broken example.
    target_response: Annotated[str, AfterValidator(_not_only_blanks)] | None
    training_metadata: TrainingMetadata


class Conversation(_Part):
    model_config = ConfigDict(extra="forbid")

    dataset_metadata: DatasetMetadata
    consultant_profile: ConsultantProfile
    training_pairs: Annotated[list[TrainingPair], Field(min_length=1)]
