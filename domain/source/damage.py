r"""Recognize text that was damaged on its way: cut off at a backslash, or escaped twice.

Real files hold all of these: something cut a text at the first quotation mark (`such a \`), or
wrote `\n` and `\"` as two characters each. A model learns to write what it is shown.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

Damage = Literal["cut-off", "double-escaped"]
Part = Literal["current_user_input", "target_response"]


def damage_in(text: str) -> Iterator[tuple[Damage, str]]:
    """Yield what is wrong with a text, as a code and in words that follow “the target …”."""
    # Validation runs this on all turns: a search for one character, and nothing more in most.
    if "\\" not in text:
        return
    if text.rstrip().endswith("\\"):
        yield "cut-off", "ends in a backslash; it seems to be cut off"
    for mark in ("\\n", '\\"'):
        if mark in text:
            yield "double-escaped", f"holds a literal {mark}; it seems to be escaped twice"
            return


class Turns(Protocol):
    """A training pair, as far as damage is concerned."""

    @property
    def current_user_input(self) -> str: ...
    @property
    def target_response(self) -> str | None: ...


class DamagedText(NamedTuple):
    """A turn that is damaged, at its first place in the file."""

    pair: int
    part: Part
    code: Damage
    what: str


class Damages(NamedTuple):
    """The damaged turns of a conversation, and the targets that are sound and follow one."""

    texts: list[DamagedText]
    after_damage: list[int]
    """Indexes of pairs."""


def damages(pairs: Sequence[Turns]) -> Damages:
    """Find the damaged turns; a pair that repeats the client's turn before it does not count."""
    texts: list[DamagedText] = []
    after: list[int] = []
    said = ""
    for index, pair in enumerate(pairs):
        if pair.current_user_input != said:
            said = pair.current_user_input
            texts += (DamagedText(index, "current_user_input", *d) for d in damage_in(said))
        if target := pair.target_response:
            own = [DamagedText(index, "target_response", *d) for d in damage_in(target)]
            if texts and not own:
                after.append(index)
            texts += own
    return Damages(texts, after)
