"""One state of a conversation's source file, and what a training file must hold of it.

Computed from the bytes of the source by the rules of docs/format.md, without the product's code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any
from uuid import UUID

from soak.planting import PlantedWarning
from soak.tokens import JsonObject, Number, object_of, tokens

LINE_KEYS = (
    "id",
    "conversation_id",
    "turn_number",
    "conversation_metadata",
    "system_prompt",
    "conversation_history",
    "current_user_input",
    "emotional_context",
    "target_response",
    "training_metadata",
)
TIERS = (("4.5", "seed_dataset"), ("3.5", "production"), ("2.5", "experimental"))
SCAFFOLDING = {
    "persona_key": "persona_archetype",
    "persona_name": "client_persona",
    "emotional_arc_key": "emotional_arc_key",
    "emotional_arc": "emotional_arc",
    "training_topic_key": "training_topic_key",
    "training_topic": "training_topic",
}


@dataclass(frozen=True)
class Sums:
    """What the pairs of a conversation, or of several, come to."""

    pairs: int
    examples: int
    human_reviewed: int
    quality_sum: Fraction
    quality_min: Fraction
    quality_max: Fraction

    @property
    def mean(self) -> Fraction:
        return self.quality_sum / self.pairs

    @property
    def tier(self) -> str:
        return next((name for bound, name in TIERS if self.mean >= Fraction(bound)), "rejected")

    @classmethod
    def over(cls, parts: Iterable["Sums"]) -> "Sums":
        """Add up; at least one part."""
        added = list(parts)
        return cls(
            pairs=sum(part.pairs for part in added),
            examples=sum(part.examples for part in added),
            human_reviewed=sum(part.human_reviewed for part in added),
            quality_sum=sum((part.quality_sum for part in added), Fraction()),
            quality_min=min(part.quality_min for part in added),
            quality_max=max(part.quality_max for part in added),
        )


@dataclass(frozen=True)
class Revision:
    """The bytes of a source file at one time."""

    conversation_id: UUID
    data: bytes
    planted: tuple[PlantedWarning, ...] = ()
    """The warnings that a version with it must record, those about the profile aside."""

    @cached_property
    def source(self) -> Any:
        return tokens(self.data)

    @property
    def profile(self) -> JsonObject:
        profile: JsonObject = self.source["consultant_profile"]
        return profile

    @cached_property
    def sums(self) -> Sums:
        pairs = self.source["training_pairs"]
        scores = [Fraction(pair["training_metadata"]["quality_score"].text) for pair in pairs]
        return Sums(
            pairs=len(pairs),
            examples=sum(bool(pair["target_response"]) for pair in pairs),
            human_reviewed=sum(pair["training_metadata"]["human_reviewed"] for pair in pairs),
            quality_sum=sum(scores, Fraction()),
            quality_min=min(scores),
            quality_max=max(scores),
        )

    @property
    def scaffolding(self) -> JsonObject:
        first = self.source["training_pairs"][0]["conversation_metadata"]
        return object_of(**{name: first[key] for name, key in SCAFFOLDING.items()})

    @cached_property
    def fragment(self) -> JsonObject:
        """The conversation's object in the full JSON."""
        dataset = self.source["dataset_metadata"]
        metadata = object_of(
            conversation_id=str(self.conversation_id),
            source_file=f"{dataset['dataset_name']}.json",
            created_date=dataset["created_date"],
            total_turns=Number(str(self.sums.pairs)),
            quality_tier=self.sums.tier,
            scaffolding=self.scaffolding,
        )
        pairs = self.source["training_pairs"]
        return object_of(conversation_metadata=metadata, training_pairs=pairs)

    @cached_property
    def examples(self) -> list[JsonObject]:
        """The conversation's lines in the JSONL."""
        return [
            self._example(pair) for pair in self.source["training_pairs"] if pair["target_response"]
        ]

    def _example(self, pair: JsonObject) -> JsonObject:
        own = {
            "id": f"{pair['id']}_{str(self.conversation_id)[:8]}",
            "conversation_id": str(self.conversation_id),
        }
        values = dict(pair.members) | own
        keys = [*LINE_KEYS, *(key for key, _ in pair.members if key not in LINE_KEYS)]
        return JsonObject(tuple((key, values[key]) for key in keys))
