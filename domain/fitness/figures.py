"""The figures of one conversation, from which a report of a whole version adds up."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

from domain.exports.chat import Chat, NotAChat, Role, read_chat
from domain.exports.likeness import words_of
from domain.exports.summary import ExportSummary
from domain.fitness.personal import FindTelephones, Kind, personal_data
from domain.fitness.tokens import TokenCounter
from domain.frozen import FrozenModel
from domain.source.damage import Damage, Part, damages

PHRASE_WORDS = 4
MAX_VALUES = 3
"""Distinct values of a field that are kept: more than one means that it carries information."""
MAX_FOUND = 100
"""Personal data of one conversation that is kept."""
Where = Literal["system_prompt", "current_user_input", "target_response"]


class DamagedTurn(FrozenModel):
    turn: int
    part: Part
    code: Damage


class FoundDatum(FrozenModel):
    turn: int
    part: Where
    kind: Kind
    masked: str


class ConversationFigures(FrozenModel):
    """What a report needs of a conversation. The database holds it: field names are storage."""

    not_a_chat: tuple[str, ...] = ()
    """Codes of the reasons why no export takes it."""
    unanswered: bool = False
    system_tokens: int = 0
    turns: tuple[tuple[Role, int], ...] = ()
    """Roles and tokens, without what a chat template writes around them."""
    estimated_tokens: int = 0
    """As exports estimate them, on the safe side."""
    damaged: tuple[DamagedTurn, ...]
    after_damage: tuple[int, ...]
    answers: tuple[str, ...]
    """A digest of each target."""
    openings: tuple[str, ...]
    closings: tuple[str, ...]
    personal: tuple[FoundDatum, ...]
    values: dict[str, tuple[str, ...]]
    """Of fields of the training metadata, up to three distinct values."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted with; another vocabulary gives other figures."""

    tokens: TokenCounter
    find_telephones: FindTelephones
    telephones: str
    """The name of what finds telephone numbers."""

    def rules(self, revision: int) -> str:
        return f"{revision}, {self.tokens.name}, {self.telephones}"


def figures_of(conversation: Mapping[str, Any], counting: Counting) -> ConversationFigures:
    """Compute a conversation's figures from its object in the full JSON."""
    pairs = conversation["training_pairs"]
    found = damages([SimpleNamespace(**_texts(pair)) for pair in pairs])
    targets = [pair["target_response"] for pair in pairs if pair["target_response"]]
    return ConversationFigures(
        **_of_chat(conversation, counting.tokens),
        damaged=tuple(
            DamagedTurn(turn=pairs[text.pair]["turn_number"], part=text.part, code=text.code)
            for text in found.texts
        ),
        after_damage=tuple(pairs[index]["turn_number"] for index in found.after_damage),
        answers=tuple(map(_digest, targets)),
        openings=tuple(" ".join(words_of(target)[:PHRASE_WORDS]) for target in targets),
        closings=tuple(" ".join(words_of(target)[-PHRASE_WORDS:]) for target in targets),
        personal=tuple(_personal(pairs, counting.find_telephones))[:MAX_FOUND],
        values=_values(pairs),
    )


def _of_chat(conversation: Mapping[str, Any], tokens: TokenCounter) -> dict[str, Any]:
    try:
        chat = read_chat(conversation)
    except NotAChat as error:
        return {"not_a_chat": tuple(sorted({reason.code for reason in error.reasons}))}
    return {
        "unanswered": chat.unanswered,
        "system_tokens": tokens.count(chat.system_prompt),
        "turns": tuple((turn.role, tokens.count(turn.text)) for turn in chat.turns),
        "estimated_tokens": _estimated(chat),
    }


def _estimated(chat: Chat) -> int:
    summary = ExportSummary()
    summary.count(chat)
    return summary.longest_tokens


def _texts(pair: Mapping[str, Any]) -> dict[str, Any]:
    return {key: pair[key] for key in ("current_user_input", "target_response")}


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _personal(
    pairs: Iterable[Mapping[str, Any]], find_telephones: FindTelephones
) -> Iterator[FoundDatum]:
    """Look at each text once, at its first turn: pairs repeat prompts and inputs."""
    seen: set[str] = set()
    parts: tuple[Where, ...] = ("system_prompt", "current_user_input", "target_response")
    for pair in pairs:
        for part in parts:
            text = pair[part] or ""
            if text not in seen:
                seen.add(text)
                for kind, masked in personal_data(text, find_telephones):
                    yield FoundDatum(turn=pair["turn_number"], part=part, kind=kind, masked=masked)


def _values(pairs: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    values: dict[str, dict[str, None]] = {}
    for pair in pairs:
        training = pair["training_metadata"]
        for field, value in {**training, **training["quality_criteria"]}.items():
            if not isinstance(value, dict | list):
                known = values.setdefault(field, {})
                if len(known) < MAX_VALUES:
                    known[repr(value)[:60]] = None
    del values["conversation_turn"]
    return {field: tuple(known) for field, known in values.items()}
