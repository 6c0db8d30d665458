"""JSON as tokens: the order of keys and the digits of a number count, as they do not in Python.

The judge reads with it. It shares no code with the product, whose reader it judges.
"""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written: 3 is not 3.0."""

    text: str


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object's members in the order in which they are written."""

    members: tuple[tuple[str, Any], ...]

    def __getitem__(self, key: str) -> Any:
        return dict(self.members)[key]

    def __contains__(self, key: str) -> bool:
        return key in dict(self.members)


def object_of(**members: Any) -> JsonObject:
    return JsonObject(tuple(members.items()))


def tokens(data: bytes | str) -> Any:
    """Read a JSON document; raises ValueError where it is none."""
    return json.loads(
        data,
        object_pairs_hook=lambda members: JsonObject(tuple(members)),
        parse_int=Number,
        parse_float=Number,
        parse_constant=_refuse,
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
