"""Conversations of random words, of which no two are alike unless they are meant to be."""

import random
from typing import Any
from uuid import UUID, uuid4

from soak.building import as_bytes, conversation, retell
from tests.conftest import Library

VOCABULARY = [f"word{n}" for n in range(2_000)]


def spoken(id: UUID, seed: object, *, changed: int = 0) -> dict[str, Any]:
    """A conversation of random words; of each turn, `changed` words are others."""
    chance, other = random.Random(str(seed)), random.Random(str(id))
    value = conversation(id)
    for pair in value["training_pairs"]:
        words = chance.choices(VOCABULARY, k=80)
        for place in other.sample(range(80), changed):
            words[place] = other.choice(VOCABULARY)
        key = "target_response" if pair["target_response"] else "current_user_input"
        pair[key] = " ".join(words)
    answered = value["training_pairs"]
    for asked, answer in zip(answered[::2], answered[1::2], strict=True):
        answer["current_user_input"] = asked["current_user_input"]
    retell(answered)
    return value


def add_spoken(library: Library, seed: object, **how: int) -> UUID:
    id = uuid4()
    return library.add(id, data=as_bytes(spoken(id, seed, **how)))
