"""Turn a conversation of the full JSON into the chat that a trainer may learn from.

A training pair is a turn: the client's, where it has no target, otherwise the answer to
`current_user_input`. Trainers expect turns that alternate and end with an answer, each said once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from domain.findings import Reason

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation that alternates, without what follows its last answer."""

    conversation_id: str
    system_prompt: str
    turns: tuple[Turn, ...]
    unanswered: bool
    """Whether a last turn of the client's was cut off: nobody has approved an answer to it."""

    @property
    def targets(self) -> int:
        return sum(turn.role == "assistant" for turn in self.turns)


class NotAChat(Exception):
    """The conversation cannot be told as a chat without changing what was approved."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(tuple(reasons))

    @property
    def reasons(self) -> tuple[Reason, ...]:
        reasons: tuple[Reason, ...] = self.args[0]
        return reasons


def read_chat(conversation: Mapping[str, Any]) -> Chat:
    """Return the chat; it has no turn at all when the conversation has no target.

    Raises NotAChat where turns do not alternate, where an answer's history is not what precedes it,
    and where the system prompt changes: trainers would drop or distort such a conversation and say
    nothing.
    """
    conversation_id = str(conversation["conversation_metadata"]["conversation_id"])
    pairs = conversation["training_pairs"]
    reader = _Reader(conversation_id)
    for pair in pairs:
        reader.read(pair)
    if reader.reasons:
        raise NotAChat(reader.reasons)
    answers = [place for place, turn in enumerate(reader.turns) if turn.role == "assistant"]
    kept = reader.turns[: answers[-1] + 1] if answers else []
    return Chat(
        conversation_id=conversation_id,
        system_prompt=pairs[0]["system_prompt"],
        turns=tuple(kept),
        unanswered=len(kept) < len(reader.turns),
    )


class _Reader:
    """Collects turns, and every reason why they are no chat."""

    def __init__(self, conversation_id: str) -> None:
        self._conversation_id = conversation_id
        self._system_prompt: str | None = None
        self.turns: list[Turn] = []
        self.reasons: list[Reason] = []

    def read(self, pair: Mapping[str, Any]) -> None:
        place = f"turn {pair['turn_number']}"
        if self._system_prompt not in (None, pair["system_prompt"]):
            self._refuse("several-system-prompts", f"{place} has another system prompt")
        self._system_prompt = pair["system_prompt"]
        self._read_client(pair, place)
        if pair["target_response"]:
            self._check_history(pair, place)
            self.turns.append(Turn("assistant", pair["target_response"]))

    def _read_client(self, pair: Mapping[str, Any], place: str) -> None:
        turn = Turn("user", pair["current_user_input"])
        waiting = self.turns[-1] if self.turns and self.turns[-1].role == "user" else None
        if waiting is None:
            self.turns.append(turn)
        elif not pair["target_response"]:
            self._refuse("two-user-turns", f"{place} is the client's, as the one before it")
        elif turn != waiting:
            self._refuse("other-input", f"{place} answers something else than the turn before it")

    def _check_history(self, pair: Mapping[str, Any], place: str) -> None:
        history = [Turn(entry["role"], entry["content"]) for entry in pair["conversation_history"]]
        # Some generators repeat the input that is answered at the end of the history, some do not.
        if history not in (self.turns, self.turns[:-1]):
            text = f"the conversation_history of {place} is not what precedes it"
            self._refuse("other-history", text)

    def _refuse(self, code: str, text: str) -> None:
        self.reasons.append(
            Reason(conversation_id=self._conversation_id, code=code, reason=f"Not a chat: {text}.")
        )


def examples(chat: Chat) -> Iterator[tuple[tuple[Turn, ...], Turn]]:
    """Yield each target with all turns before it."""
    for place, turn in enumerate(chat.turns):
        if turn.role == "assistant":
            yield chat.turns[:place], turn
