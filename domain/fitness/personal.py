"""Find personal data in a text, and mask it: a report must not repeat what it warns of."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

Kind = Literal["e-mail", "telephone", "card", "iban"]

# Bounded, so that no text is quadratic.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_CARD = re.compile(r"(?<![\d.,$€£-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_ALMOST_A_NUMBER = re.compile(r"(?<![\d.,$€£])[+(]?\d[\d ().\-/]{5,30}\d(?!\d)")
_AROUND = 2
MAX_CANDIDATES = 1_000
"""Of one text: a numbering plan takes 50 µs to ask, and a hostile text is nothing but digits."""


class PersonalDatum(NamedTuple):
    kind: Kind
    masked: str


FindTelephones = Callable[[str], Iterator[str]]
"""Yields the valid telephone numbers of a short text, as they are written."""


def personal_data(text: str, find_telephones: FindTelephones) -> Iterator[PersonalDatum]:
    """Yield e-mail addresses, card numbers, IBANs and telephone numbers, masked."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            end = match[0].rpartition(".")[2]
            yield PersonalDatum("e-mail", f"{match[0][0]}…@….{end}")
    taken: list[range] = []
    for kind, pattern, is_valid in (("iban", _IBAN, is_iban), ("card", _CARD, is_card_number)):
        for match in pattern.finditer(text):
            if is_valid(match[0]):
                taken.append(range(*match.span()))
                yield PersonalDatum(kind, _masked(match[0]))  # type: ignore[arg-type]
    for match in islice(_ALMOST_A_NUMBER.finditer(text), MAX_CANDIDATES):
        if not any(match.start() in place for place in taken):
            around = text[max(0, match.start() - _AROUND) : match.end() + _AROUND]
            for number in find_telephones(around):
                yield PersonalDatum("telephone", _masked(number))


def is_card_number(text: str) -> bool:
    """Check the digits' sum as ISO/IEC 7812 has it (Luhn); one digit repeated is no number."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def is_iban(text: str) -> bool:
    """Check the remainder as ISO 13616 has it."""
    plain = text.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _masked(number: str) -> str:
    digits = [c for c in number if c.isalnum()]
    return f"…{''.join(digits[-2:])} ({len(digits)} characters)"
