"""What each trainer makes of a conversation: which targets it learns whole, which it cuts or drops.

Rules follow the trainers' sources and documentation; docs/trainers.md says which were also run.
Positions are those of ChatML, which Qwen and others use: five tokens around each turn.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from domain.exports.chat import Role

TURN_TOKENS = 5
"""`<|im_start|>`, the role, a line break; `<|im_end|>`, a line break."""
HEAD_TOKENS = 3
OPENAI_TOKENS = 65_536
"""Of one training example for gpt-4o-mini (2024-07-18): OpenAI's guide to fine-tuning, and in
Microsoft's tables of the same models “training example context length”. The end is cut off."""
FACTORY_TOKENS = 2_048
"""`cutoff_len` in `llamafactory/hparams/data_args.py` of LLaMA-Factory 0.9.5."""

Fate = Literal["whole", "cut", "dropped"]
Cutting = Literal["end", "conversation", "turns"]
"""Cuts off what is beyond the length, drops conversations that are longer, or shares the length out
turn by turn (LLaMA-Factory)."""
Speaker = Literal["system", "user", "assistant"]


class Trainer(NamedTuple):
    """A trainer with one of its settings, and where its rule is from."""

    name: str
    setting: Literal["defaults", "ours"]
    max_length: int
    cutting: Cutting
    trains_all: bool
    source: str


def trainers(max_length: int) -> Iterator[Trainer]:
    """Yield every trainer at its defaults, and with what the export's TRAINING.md sets."""
    run = "run with TRL 1.16"
    factory = "run with LLaMA-Factory 0.9.5"
    axolotl = "rule from axolotl's documentation"
    openai = "rule from OpenAI's documentation"
    yield Trainer("TRL, messages", "defaults", 1024, "end", True, "rule from TRL's documentation")
    yield Trainer("TRL, messages", "ours", max_length, "end", False, run)
    yield Trainer("TRL, prompt-completion", "defaults", 1024, "end", False, run)
    yield Trainer("TRL, prompt-completion", "ours", max_length, "end", False, run)
    yield Trainer("LLaMA-Factory, sharegpt", "defaults", FACTORY_TOKENS, "turns", False, factory)
    yield Trainer("LLaMA-Factory, sharegpt", "ours", max_length, "turns", False, factory)
    yield Trainer("axolotl, messages", "defaults", 512, "conversation", False, axolotl)
    yield Trainer("axolotl, messages", "ours", max_length, "conversation", False, axolotl)
    yield Trainer("OpenAI, messages", "defaults", OPENAI_TOKENS, "end", False, openai)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A turn's tokens and where they are: from `start` to `end`, the template's not counted."""

    speaker: Speaker
    tokens: int
    start: int

    @property
    def end(self) -> int:
        return self.start + self.tokens

    @property
    def after(self) -> int:
        """Return where the next turn's template begins."""
        return self.end + TURN_TOKENS - HEAD_TOKENS


def spoken(system_tokens: int, turns: Sequence[tuple[Role, int]]) -> list[Spoken]:
    """Place the turns of a conversation, its system prompt first."""
    placed: list[Spoken] = []
    at = 0
    for speaker, tokens in (("system", system_tokens), *turns):
        placed.append(Spoken(speaker, tokens, at + HEAD_TOKENS))  # type: ignore[arg-type]
        at = placed[-1].after
    return placed


class Learnt(NamedTuple):
    """The fate of each target, and the tokens that are trained, by who says them."""

    fates: list[Fate]
    tokens: Counter[Speaker]


def learnt(trainer: Trainer, turns: Sequence[Spoken]) -> Learnt:
    """Return what a trainer makes of a conversation."""
    if trainer.cutting == "turns":
        return _turn_by_turn(trainer, turns)
    length = trainer.max_length
    if trainer.cutting == "conversation" and turns[-1].after > length:
        length = 0
    fates = [_fate(turn, length) for turn in turns if turn.speaker == "assistant"]
    tokens: Counter[Speaker] = Counter()
    for turn in turns:
        if trainer.trains_all or turn.speaker == "assistant":
            tokens[turn.speaker] += min(turn.tokens, max(0, length - turn.start))
    return Learnt(fates, tokens)


def _fate(turn: Spoken, length: int) -> Fate:
    if turn.after <= length:
        return "whole"
    return "cut" if turn.start < length else "dropped"


def _turn_by_turn(trainer: Trainer, turns: Sequence[Spoken]) -> Learnt:
    """Share the length out as LLaMA-Factory's `infer_seqlen` does: a prompt and its answer at once.

    An answer whose prompt is cut is not learnt as it was approved, and counts as cut.
    """
    fates: list[Fate] = []
    tokens: Counter[Speaker] = Counter()
    used = source = 0
    for turn in turns:
        if turn.speaker != "assistant":
            source += turn.tokens + TURN_TOKENS
            continue
        source += HEAD_TOKENS
        target = turn.tokens + TURN_TOKENS - HEAD_TOKENS
        left = trainer.max_length - used
        if left <= 0:
            fates.append("dropped")
            continue
        kept_target = min(target, _most_of_target(source, target, left))
        kept_source = min(source, left - kept_target)
        fates.append("whole" if (kept_target, kept_source) == (target, source) else "cut")
        tokens["assistant"] += min(turn.tokens, kept_target)
        used += kept_target + kept_source
        source = 0
    return Learnt(fates, tokens)


def _most_of_target(source: int, target: int, left: int) -> int:
    if target * 2 < left:
        return left
    if source * 2 < left:
        return left - source
    return left * target // (source + target)
