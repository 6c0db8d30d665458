"""Read a conversation as people do: turn by turn, with what was said about each.

A training pair is a turn: the client's where it has no target, otherwise the answer to
`current_user_input`. Source: individual-conversation-v4 JSON Schema.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from domain.findings import VersionWarning
from domain.frozen import FrozenModel
from domain.source.conversation import Conversation, TrainingPair

_PAIR = re.compile(r"training_pairs\[(\d+)\]\.?(.*)")

Speaker = Literal["client", "consultant"]


class Finding(FrozenModel):
    """A warning at its place: `field` is the path inside of the pair."""

    code: str
    message: str
    field: str


class Turn(FrozenModel):
    number: int
    speaker: Speaker
    text: str
    is_target: bool
    """Whether a trainer learns this text; everything before it is its context."""
    is_repeated: bool = False
    """Whether the turn is shown for its answer's sake: it has no pair of its own."""
    emotion: str = ""
    intensity: float = 0
    phase: str = ""
    objective: str = ""
    quality: float = 0
    criteria: tuple[tuple[str, float], ...] = ()
    human_reviewed: bool = False
    reviewer_notes: str = ""
    findings: tuple[Finding, ...] = ()


class Transcript(FrozenModel):
    consultant: str
    business: str
    client: str
    client_background: str
    session_context: str
    expected_outcome: str
    system_prompt: str
    turns: tuple[Turn, ...]
    findings: tuple[Finding, ...]
    """Findings about the conversation as a whole."""

    @property
    def targets(self) -> int:
        return sum(turn.is_target for turn in self.turns)


def transcript_of(conversation: Conversation, warnings: Iterable[VersionWarning]) -> Transcript:
    """Tell the conversation as turns, each with the warnings about it."""
    whole, by_pair = _by_place(warnings)
    pairs = conversation.training_pairs
    first = pairs[0].conversation_metadata
    turns: list[Turn] = []
    for index, pair in enumerate(pairs):
        if pair.target_response and (not turns or turns[-1].text != pair.current_user_input):
            turns.append(_repeated(pair))
        turns.append(_turn(pair, by_pair[index]))
    return Transcript(
        consultant=conversation.consultant_profile.name,
        business=conversation.consultant_profile.business,
        client=first.client_persona,
        client_background=first.client_background,
        session_context=first.session_context,
        expected_outcome=first.expected_outcome,
        system_prompt=pairs[0].system_prompt,
        turns=tuple(turns),
        findings=tuple(whole),
    )


def _turn(pair: TrainingPair, findings: Sequence[Finding]) -> Turn:
    emotions = pair.emotional_context.detected_emotions
    training = pair.training_metadata
    target = pair.target_response
    return Turn(
        number=pair.turn_number,
        speaker="consultant" if target else "client",
        text=target or pair.current_user_input,
        is_target=bool(target),
        emotion=emotions.primary,
        intensity=emotions.intensity,
        phase=pair.conversation_metadata.conversation_phase,
        objective=training.key_learning_objective,
        quality=training.quality_score,
        criteria=tuple(training.quality_criteria.items()),
        human_reviewed=training.human_reviewed,
        reviewer_notes=training.reviewer_notes or "",
        findings=tuple(findings),
    )


def _repeated(pair: TrainingPair) -> Turn:
    return Turn(
        number=pair.turn_number,
        speaker="client",
        text=pair.current_user_input,
        is_target=False,
        is_repeated=True,
    )


def _by_place(
    warnings: Iterable[VersionWarning],
) -> tuple[list[Finding], defaultdict[int, list[Finding]]]:
    whole: list[Finding] = []
    by_pair: defaultdict[int, list[Finding]] = defaultdict(list)
    for warning in warnings:
        place = _PAIR.fullmatch(warning.path)
        finding = Finding(
            code=warning.code,
            message=warning.message,
            field=place[2] if place else warning.path,
        )
        (by_pair[int(place[1])] if place else whole).append(finding)
    return whole, by_pair
