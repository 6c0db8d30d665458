"""What makes a conversation like real ones: uneven scores, unknown keys and words, odd targets.

Whoever plants something that a curator must hear of says which warning it must give, so that the
judge expects the warnings of the sources and not those that the product finds.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from soak.building import retell
from soak.chance import Chance

SCORES = (1, 2, 2.5, 3, 3.0, 3.5, 4, 4.0, 4.25, 4.5, 4.9, 5, 5.0)
"""Integers and floats of the same value: 3 must not become 3.0, nor 3.0 become 3."""
Pairs = list[dict[str, Any]]


class PlantedWarning(NamedTuple):
    """A warning that the version must record."""

    code: str
    path: str
    """Of its first place."""
    times: int = 1


def plant(chance: Chance, value: dict[str, Any]) -> tuple[PlantedWarning, ...]:
    """Change a valid conversation, which stays valid; return the warnings it must give."""
    pairs: Pairs = value["training_pairs"]
    for pair in pairs:
        training = pair["training_metadata"]
        training["quality_score"] = chance.choice(SCORES)
        training["human_reviewed"] = chance.random() < 1 / 2
    _add_unknown_keys(chance, pairs)
    warnings = [
        warning
        for kind in chance.sample(ODDITIES, chance.randint(0, 3))
        for warning in kind(chance, pairs)
    ]
    warnings += _after_damage(pairs)
    retell(pairs)
    for at, pair in enumerate(pairs):
        pairs[at] = _shuffled(chance, pair)
    return tuple(warnings)


def _add_unknown_keys(chance: Chance, pairs: Pairs) -> None:
    """Add keys that no schema knows, at the top of a pair and inside."""
    for pair in chance.sample(pairs, chance.randint(0, 2)):
        pair["soak_extra"] = {"b": 3, "a": 3.0, "list": [1.5, None, True, "ü"]}
        pair["emotional_context"]["zeal"] = chance.choice([0, 0.0, 7, -2.5])


def _shuffled(chance: Chance, pair: dict[str, Any]) -> dict[str, Any]:
    """Put the keys of a pair and of its parts in an order that is not the format's."""
    for key in ("conversation_metadata", "training_metadata"):
        pair[key] = dict(chance.sample(list(pair[key].items()), len(pair[key])))
    return dict(chance.sample(list(pair.items()), len(pair)))


def _unknown_phase(chance: Chance, pairs: Pairs) -> list[PlantedWarning]:
    places = sorted(chance.sample(range(len(pairs)), chance.randint(1, len(pairs))))
    for at in places:
        pairs[at]["conversation_metadata"]["conversation_phase"] = "harvest_planning"
    path = f"training_pairs[{places[0]}].conversation_metadata.conversation_phase"
    return [PlantedWarning("unknown-word", path, len(places))]


def _unknown_valence(chance: Chance, pairs: Pairs) -> list[PlantedWarning]:
    at = chance.randrange(len(pairs))
    pairs[at]["emotional_context"]["detected_emotions"]["valence"] = "bittersweet"
    path = f"training_pairs[{at}].emotional_context.detected_emotions.valence"
    return [PlantedWarning("unknown-word", path)]


def _varying_persona(chance: Chance, pairs: Pairs) -> list[PlantedWarning]:
    at = chance.randrange(1, len(pairs))
    pairs[at]["conversation_metadata"]["persona_archetype"] = "overwhelmed_avoider"
    path = f"training_pairs[{at}].conversation_metadata.persona_archetype"
    return [PlantedWarning("scaffolding-varies", path)]


def _cut_off(_: Chance, pairs: Pairs) -> list[PlantedWarning]:
    pairs[1]["target_response"] = f"{pairs[1]['target_response']} And then\\"
    return [PlantedWarning("cut-off", "training_pairs[1].target_response")]


def _double_escaped(_: Chance, pairs: Pairs) -> list[PlantedWarning]:
    pairs[1]["target_response"] = f"First.\\n{pairs[1]['target_response']}"
    return [PlantedWarning("double-escaped", "training_pairs[1].target_response")]


def _after_damage(pairs: Pairs) -> list[PlantedWarning]:
    """Expect the warning about sound targets after the pair that alone is ever damaged."""
    if "\\" not in pairs[1]["target_response"]:
        return []
    after = [at for at, pair in enumerate(pairs) if at > 1 and pair["target_response"]]
    path = f"training_pairs[{after[0]}].target_response" if after else ""
    return [PlantedWarning("damaged-context", path, len(after))] if after else []


def _empty_target(_: Chance, pairs: Pairs) -> list[PlantedWarning]:
    pairs[0]["target_response"] = ""
    return [PlantedWarning("empty-target", "training_pairs[0].target_response")]


ODDITIES: tuple[Callable[[Chance, Pairs], list[PlantedWarning]], ...] = (
    _unknown_phase,
    _unknown_valence,
    _varying_persona,
    _cut_off,
    _double_escaped,
    _empty_target,
)
