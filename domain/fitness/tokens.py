"""Count tokens: with a vocabulary, or by characters where none is installed."""

from collections.abc import Callable
from dataclasses import dataclass

CHARACTERS_PER_TOKEN = 4
"""Roughly, of English; the name of the counter says that it is no vocabulary."""


@dataclass(frozen=True, slots=True)
class TokenCounter:
    name: str
    is_exact: bool
    count: Callable[[str], int]


def _by_characters(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


BY_CHARACTERS = TokenCounter("characters / 4", is_exact=False, count=_by_characters)
