"""What an export holds and what it left out, counted while it is written."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.exports.chat import Chat

BYTES_PER_TOKEN = 3
"""Fewer than a tokenizer packs: English dialogues came to 4.6 bytes a token with a vocabulary of
150,000 words, so that a length made with this is too long rather than too short."""
TOKENS_PER_TURN = 8
"""What a chat template writes around a turn."""
LENGTH_STEP = 256


@dataclass(slots=True)
class ExportSummary:
    """Counts over all conversations of a version."""

    conversations: int = 0
    targets: int = 0
    unanswered: list[str] = field(default_factory=list)
    """Conversations that lost a last turn of the client's, which nobody answered."""
    without_target: list[str] = field(default_factory=list)
    """Conversations that are not in the export, as they have nothing to learn."""
    longest_tokens: int = 0
    """An upper estimate of the longest conversation's tokens."""

    def count(self, chat: Chat) -> None:
        if not chat.turns:
            self.without_target.append(chat.conversation_id)
            return
        self.conversations += 1
        self.targets += chat.targets
        if chat.unanswered:
            self.unanswered.append(chat.conversation_id)
        self.longest_tokens = max(self.longest_tokens, _estimated_tokens(chat))

    @property
    def max_length(self) -> int:
        """Return a length in tokens at which a trainer cuts off none of the conversations."""
        return max(LENGTH_STEP, -(-self.longest_tokens // LENGTH_STEP) * LENGTH_STEP)


def _estimated_tokens(chat: Chat) -> int:
    texts: Iterable[str] = (chat.system_prompt, *(turn.text for turn in chat.turns))
    size = sum(len(text.encode()) for text in texts)
    return -(-size // BYTES_PER_TOKEN) + TOKENS_PER_TURN * (len(chat.turns) + 1)
