"""Decide which conversations a model is trained on and which it is validated with.

Sides are decided once and stored: this module only places conversations that have none. Within
each emotional arc the sample is systematic, from an offset that is hashed from the training file's
id, so that nobody picks it. What is alike stays together, or validation would measure memory.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from math import floor
from typing import NamedTuple
from uuid import UUID

from domain.errors import Blocked
from domain.exports import Side
from domain.exports.likeness import Likeness, LikenessIndex
from domain.findings import Reason

SAME_ANSWER = 0.0
"""The strength of a link by one answer alone: less than that of any near-duplicate."""


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A conversation of the version that has no side yet."""

    conversation_id: UUID
    arc: str
    likeness: Likeness


class Sizes(NamedTuple):
    train: int
    validation: int


def exact_fraction(validation: Fraction | float) -> Fraction:
    """Return the fraction as written, so that 0.1 is exactly a tenth; raise ValueError."""
    if not 0 < validation < 1:
        raise ValueError(f"The validation fraction is between 0 and 1, not {validation}.")
    return validation if isinstance(validation, Fraction) else Fraction(repr(validation))


def requested_fraction(validation: float | None) -> Fraction | None:
    """Return the fraction of a form, where nothing and 0 ask for no split; raise Blocked."""
    if not validation:
        return None
    try:
        return exact_fraction(validation)
    except ValueError as error:
        reason = f"{error} A tenth is 0.1; without it, or with 0, nothing is split."
        raise Blocked([Reason(code="bad-fraction", reason=reason)]) from error


def assign(
    unassigned: Sequence[Unassigned],
    *,
    assigned: Mapping[UUID, Side],
    arcs: Mapping[UUID, str],
    contents: Iterable[tuple[UUID, Likeness]],
    fraction: Fraction,
    seed: UUID,
) -> dict[UUID, Side]:
    """Return a side for each of `unassigned`, in their order.

    `arcs` tells of the assigned ones that the version holds, `contents` of all that any assigned
    conversation has ever been. A conversation that is like an assigned one gets its side; if it is
    like several, that of the nearest. A group of new ones stays together, and is validated with
    only where its arcs need so many.
    """
    families = _families(unassigned, contents)
    sizes = {arc: _Arc(fraction, _offset(seed, arc)) for arc in (u.arc for u in unassigned)}
    for id, arc in arcs.items():
        if arc in sizes:
            sizes[arc].count(assigned[id])
    sides: dict[UUID, Side] = {}
    for family in families:
        if family.nearest:
            side = assigned[family.nearest]
        else:
            side = _needed(Counter(member.arc for member in family.members), sizes)
        for member in family.members:
            sides[member.conversation_id] = side
            sizes[member.arc].count(side)
    return {member.conversation_id: sides[member.conversation_id] for member in unassigned}


def sizes_by_arc(arcs: Mapping[UUID, str], sides: Mapping[UUID, Side]) -> dict[str, Sizes]:
    """Count the conversations that have a side, by emotional arc."""
    counts = Counter((arcs[id], side) for id, side in sides.items())
    return {
        arc: Sizes(counts[arc, "train"], counts[arc, "validation"])
        for arc in sorted({arc for arc, _ in counts})
    }


def arcs_without_validation(arcs: Mapping[UUID, str], sides: Mapping[UUID, Side]) -> list[str]:
    """Name the arcs of which a validation says nothing: all their conversations are trained."""
    return [arc for arc, sizes in sizes_by_arc(arcs, sides).items() if not sizes.validation]


@dataclass(slots=True)
class _Arc:
    fraction: Fraction
    offset: Fraction
    size: int = 0
    validation: int = 0

    def count(self, side: Side) -> None:
        self.size += 1
        self.validation += side == "validation"

    def lacks(self, added: int) -> int:
        """Return how many to validate with are missing once `added` more are in the arc."""
        return floor((self.size + added) * self.fraction + self.offset) - self.validation


@dataclass(slots=True)
class _Family:
    """New conversations that are alike, directly or not, and the assigned one nearest to any."""

    members: list[Unassigned]
    nearest: UUID | None = None
    strength: float = -1

    def approach(self, assigned: UUID, strength: float) -> None:
        if strength > self.strength:
            self.nearest, self.strength = assigned, strength

    def absorb(self, other: "_Family") -> None:
        self.members += other.members
        if other.nearest:
            self.approach(other.nearest, other.strength)


def _families(
    unassigned: Iterable[Unassigned], contents: Iterable[tuple[UUID, Likeness]]
) -> list[_Family]:
    """Gather what is alike, in the order of each family's first member."""
    before: LikenessIndex[UUID] = LikenessIndex()
    for key, likeness in contents:
        before.add(key, likeness)
    new: LikenessIndex[UUID] = LikenessIndex()
    families: dict[UUID, _Family] = {}
    for member in unassigned:
        own, likeness = member.conversation_id, member.likeness
        families[own] = _Family([member])
        # The first is the nearest: the side of one is the side of all its copies.
        for assigned, score in islice(before.near(likeness), 1):
            families[own].approach(assigned, score)
        for assigned in before.same_answer(likeness):
            families[own].approach(assigned, SAME_ANSWER)
        is_related = partial(_is_related, families, own)
        for other, _ in new.near(likeness, skip=is_related):
            _unite(families, other, own)
        for other in new.same_answer(likeness):
            _unite(families, other, own)
        new.add(own, likeness)
    return list({id(family): family for family in families.values()}.values())


def _is_related(families: Mapping[UUID, _Family], one: UUID, other: UUID) -> bool:
    return families[one] is families[other]


def _unite(families: dict[UUID, _Family], one: UUID, other: UUID) -> None:
    if families[one] is families[other]:
        return
    large, small = families[one], families[other]
    if len(small.members) > len(large.members):
        large, small = small, large
    large.absorb(small)
    for member in small.members:
        families[member.conversation_id] = large


def _needed(group: Mapping[str, int], sizes: Mapping[str, _Arc]) -> Side:
    is_needed = all(sizes[arc].lacks(count) >= count for arc, count in group.items())
    return "validation" if is_needed else "train"


def _offset(seed: UUID, arc: str) -> Fraction:
    text = f"{seed} {arc}".encode("utf-8", "surrogatepass")
    return Fraction(int.from_bytes(hashlib.sha256(text).digest()[:8]), 2**64)
