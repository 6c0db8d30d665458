"""Which warnings are errors: none, those of damaged text, or all."""

from collections.abc import Iterable, Mapping
from typing import Literal

from domain.findings import Reason, VersionWarning

Strictness = Literal["nothing", "damage", "warnings"]
"""What is refused beside errors."""
DAMAGE_CODES = frozenset({"cut-off", "double-escaped", "damaged-context"})
BECAUSE: Mapping[Strictness, str] = {
    "damage": "an error because the training file refuses damaged text",
    "warnings": "an error because the request is strict",
}


def strictness_of(*, strict: bool, refuses_damage: bool) -> Strictness:
    """Return what is refused; a strict request refuses more than any training file."""
    if strict:
        return "warnings"
    return "damage" if refuses_damage else "nothing"


def refusals(warnings: Iterable[VersionWarning], strictness: Strictness) -> list[Reason]:
    """Return the reasons that these warnings become."""
    if strictness == "nothing":
        return []
    return [
        warning.as_reason(BECAUSE[strictness])
        for warning in warnings
        if strictness == "warnings" or warning.code in DAMAGE_CODES
    ]
