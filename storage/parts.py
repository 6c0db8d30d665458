"""How an object is cut into the parts of a multipart upload."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.merge import Segment, Span

MIB = 1024 * 1024
MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Way:
    """What a store takes: every part but the last has `least` to `most` bytes."""

    least: int
    most: int
    copies: bool
    """Whether the store itself copies a range of another object into a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that this process sends or, where it is a copy, one span that the store copies."""

    segments: tuple[Segment, ...]
    is_copy: bool


def cut(segments: Sequence[Segment], way: Way) -> Iterator[Part]:
    """The parts, in order. What cannot be copied, or is too short for it, is sent."""
    least = max(way.least, -(-sum(map(len, segments)) // MOST_PARTS))
    held: list[Segment] = []
    room = least
    for segment in segments:
        start, end = 0, len(segment)
        while start < end:
            copy = way.copies and not held and isinstance(segment, Span) and end - start >= least
            taken = min(end - start, max(least, way.most) if copy else room)
            piece = _slice(segment, start, start + taken)
            start += taken
            if copy:
                yield Part((piece,), is_copy=True)
                continue
            held.append(piece)
            room -= taken
            if not room:
                yield Part(tuple(held), is_copy=False)
                held, room = [], least
    if held:
        yield Part(tuple(held), is_copy=False)


def _slice(segment: Segment, start: int, end: int) -> Segment:
    if isinstance(segment, Span):
        return Span(segment.key, segment.start + start, segment.start + end)
    return segment[start:end]
