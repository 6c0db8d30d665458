"""Objects that are put together from literal bytes and from ranges of stored objects.

Nothing that a training file already holds is parsed or rendered again: its bytes are referred to by
the object and the range in which they are stored.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (excluded) of a stored object."""

    key: str
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


Segment = bytes | Span


@dataclass(frozen=True, slots=True)
class Document:
    """An object to be stored: its segments in order, and where its content starts and ends."""

    segments: tuple[Segment, ...]
    content_start: int
    content_end: int
    size_bytes: int


def document(header: bytes, content: Sequence[Segment], tail: bytes) -> Document:
    start = len(header)
    end = start + sum(map(len, content))
    segments = tuple(segment for segment in (header, *content, tail) if len(segment))
    return Document(segments, content_start=start, content_end=end, size_bytes=end + len(tail))


def splice(segments: Iterable[Segment], separator: bytes) -> tuple[Segment, ...]:
    """Join the segments, with the separator between them.

    Neighbouring ranges of one object become one range, and neighbouring bytes one piece: an object
    of thousands of unchanged conversations is a handful of segments.
    """
    spliced: list[Segment] = []
    literal: list[bytes] = []
    for index, segment in enumerate(filter(len, segments)):
        before = None if literal or not spliced else spliced[-1]
        if isinstance(segment, bytes):
            literal += [separator, segment] if index else [segment]
        elif isinstance(before, Span) and _adjoins(before, segment, separator):
            spliced[-1] = Span(before.key, before.start, segment.end)
        else:
            literal += [separator] if index and separator else []
            spliced += [b"".join(literal), segment] if literal else [segment]
            literal = []
    return (*spliced, b"".join(literal)) if literal else tuple(spliced)


def without(
    content: Span, lengths: Iterable[int], removed: Collection[int], separator: bytes
) -> tuple[Span, ...]:
    """Cut the pieces at the `removed` indexes out of a content of pieces of these lengths.

    Each range but the last ends with the separator that already follows it in the object, so that
    nothing stands between two ranges: a store copies them all, and no byte passes through here.
    """
    starts = list(accumulate((length + len(separator) for length in lengths), initial=0))
    edges = [-1, *sorted(removed), len(starts) - 1]
    runs = [(starts[before + 1], starts[after]) for before, after in pairwise(edges)]
    spans = [Span(content.key, content.start + a, content.start + b) for a, b in runs if a < b]
    if spans:
        last = spans[-1]
        spans[-1] = Span(last.key, last.start, last.end - len(separator))
    return tuple(spans)


def _adjoins(before: Span, after: Span, separator: bytes) -> bool:
    """Tell whether the bytes between two ranges of one object can only be the separator."""
    return before.key == after.key and before.end + len(separator) == after.start
