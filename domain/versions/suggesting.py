"""Suggest the name that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

from domain.versions.naming import name_key

CUTOFF = 0.6
MAX_NAMES = 2_000
"""Of a file's or a batch's candidates: comparing more takes longer than people wait."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a sentence with the nearest names and a blank, or nothing if none is near."""
    by_key = {name_key(each): each for each in names}
    near = get_close_matches(name_key(name), by_key, n=3, cutoff=CUTOFF)
    return f"Did you mean {' or '.join(f'“{by_key[key]}”' for key in near)}? " if near else ""
