"""Tags: names for versions of a training file, and how a version is referred to."""

import re
import unicodedata

from domain.findings import shortened

MAX_TAG_LENGTH = 64
LATEST = "latest"
"""Stands for the current version, so it is no tag's name."""
MAX_INTEGER = 2**31 - 1
_PUNCTUATION = (".", "_", "-")


def normal_tag(name: str) -> str:
    """Return the tag's name as it is stored and compared: Unicode NFC; case counts."""
    return unicodedata.normalize("NFC", name)


def tag_problem(name: str) -> str | None:
    """Say why a normal name cannot be a tag's, or return None."""
    problems = {
        "it is empty": not name,
        f"it has {len(name):,} characters; at most {MAX_TAG_LENGTH}": len(name) > MAX_TAG_LENGTH,
        "it has characters other than letters, digits and . _ -": not all(map(_is_allowed, name)),
        "it begins with . _ or -": name[:1] in _PUNCTUATION,
        "it has only digits, as version numbers do": all(map(_is_digit, name)),
        f"“{LATEST}” is the current version": name == LATEST,
    }
    return next((problem for problem, applies in problems.items() if applies), None)


def as_number(reference: str) -> int | None:
    """Return the version number that the text is, in PostgreSQL's range; None if it is none."""
    if not re.fullmatch(r"[0-9]+", reference):
        return None
    digits = reference.lstrip("0") or "0"
    return MAX_INTEGER if len(digits) > len(str(MAX_INTEGER)) else min(int(digits), MAX_INTEGER)


def reference_problem(reference: str) -> str | None:
    """Say why a text can refer to no version at all, or return None."""
    if reference == LATEST:
        return None
    number = as_number(reference)
    if number is not None:
        return None if number else "versions begin at 1"
    problem = tag_problem(normal_tag(reference))
    return f"“{shortened(reference)}” is no version: {problem}" if problem else None


def _is_digit(character: str) -> bool:
    return unicodedata.category(character) == "Nd"


def _is_allowed(character: str) -> bool:
    # Marks belong to letters: vowel signs in Hindi, points in Hebrew.
    is_letter = unicodedata.category(character)[0] in "LM"
    return is_letter or _is_digit(character) or character in _PUNCTUATION
