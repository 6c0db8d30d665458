"""Find contradictions within a conversation file, which its structure alone does not show."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from domain.findings import Reason, shortened
from domain.source.conversation import META, Conversation, TrainingPair


def contradictions(conversation: Conversation, conversation_id: UUID | None) -> Iterator[Reason]:
    """Yield a reason for each place that contradicts another, or its conversation's id."""
    dataset = conversation.dataset_metadata
    pairs = conversation.training_pairs
    if conversation_id and dataset.dataset_name != f"fp_conversation_{conversation_id}":
        yield Reason(
            code="other-conversation",
            reason=f"The file is “{dataset.dataset_name}”, another conversation's.",
            path="dataset_metadata.dataset_name",
        )
    if dataset.total_turns != len(pairs):
        yield Reason(
            code="wrong-count",
            reason=f"total_turns is {dataset.total_turns}, but there are {len(pairs)} pairs.",
            path="dataset_metadata.total_turns",
        )
    yield from _about_turns(pairs)
    yield from _about_ids(pairs)
    for index, pair in enumerate(pairs):
        yield from _about_history(pairs, index, pair)


def reserved_keys(raw: dict[str, Any]) -> Iterator[Reason]:
    """Refuse pairs with `_meta`, whose lines trainers skip silently."""
    for index, pair in enumerate(raw["training_pairs"]):
        if META in pair:
            yield Reason(
                code="reserved-key",
                reason=f"The key “{META}” marks the JSONL's first line; "
                "a trainer would skip this pair.",
                path=f"training_pairs[{index}].{META}",
            )


def _about_turns(pairs: list[TrainingPair]) -> Iterator[Reason]:
    for index, pair in enumerate(pairs):
        if pair.turn_number != index + 1:
            yield Reason(
                code="wrong-turn",
                reason=f"turn_number is {pair.turn_number} where turn {index + 1} is due.",
                path=f"training_pairs[{index}].turn_number",
            )
        if pair.training_metadata.conversation_turn != pair.turn_number:
            yield Reason(
                code="wrong-turn",
                reason="conversation_turn differs from turn_number.",
                path=f"training_pairs[{index}].training_metadata.conversation_turn",
            )


def _about_ids(pairs: list[TrainingPair]) -> Iterator[Reason]:
    seen: set[str] = set()
    for index, pair in enumerate(pairs):
        if pair.id in seen:
            yield Reason(
                code="repeated-pair-id",
                reason=f"The pair id “{shortened(pair.id)}” occurs twice in this conversation.",
                path=f"training_pairs[{index}].id",
            )
        seen.add(pair.id)


def _about_history(pairs: list[TrainingPair], at: int, pair: TrainingPair) -> Iterator[Reason]:
    """Compare the pair's history with what the `at` turns before it say."""
    last = 1
    for index, told in enumerate(pair.conversation_history):
        turn, role = told["turn"], told["role"]
        if not last <= turn <= at:
            yield Reason(
                code="wrong-history",
                reason=f"History turn {turn} does not come after the turns before it "
                f"and before turn {pair.turn_number}.",
                path=f"training_pairs[{at}].conversation_history[{index}].turn",
            )
        else:
            earlier = pairs[turn - 1]
            # An assistant's turn without a target says nothing that could be compared.
            said = earlier.current_user_input if role == "user" else earlier.target_response
            if said and said != told["content"]:
                yield Reason(
                    code="wrong-history",
                    reason=f"The history has the {role} say something else than turn {turn} does.",
                    path=f"training_pairs[{at}].conversation_history[{index}].content",
                )
        last = max(last, turn)
