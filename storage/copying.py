"""Bytes that pass through this process from one object to another.

They are read so that a change on the way is noticed (docs/decisions/0006).
"""

from collections.abc import Callable, Iterator, Sequence

from domain.errors import ObjectTooLarge, Unreachable
from domain.format.spans import Segment, Span
from storage.multipart import UploadPart


class Carrier:
    """Reads the parts of one object that is put together.

    A small object is read whole, once for each part, and proven by `get`. Of a large one the span
    is read twice and compared, because no proof of a range exists.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        small_bytes: int,
        get: Callable[[str], bytes],  # raises ObjectTooLarge
        chunks: Callable[[str, int, int], Iterator[bytes]],
    ) -> None:
        self._get = get
        self._chunks = chunks
        spans = [segment for segment in segments if isinstance(segment, Span)]
        self._large = {span.key for span in spans if span.end > small_bytes}

    def read(self, part: UploadPart) -> bytes:
        small: dict[str, bytes] = {}
        return b"".join(
            segment if isinstance(segment, bytes) else self._read_span(segment, small)
            for segment in part.segments
        )

    def _read_span(self, span: Span, small: dict[str, bytes]) -> bytes:
        data = self._from_small(span, small)
        if data is None:
            data = self._read_twice(span)
        if len(data) != len(span):
            raise Unreachable(f"{span.key} is shorter than its version recorded.")
        return data

    def _from_small(self, span: Span, small: dict[str, bytes]) -> bytes | None:
        if span.key not in small and span.key not in self._large:
            try:
                small[span.key] = self._get(span.key)
            except ObjectTooLarge:
                self._large.add(span.key)
        return small[span.key][span.start : span.end] if span.key in small else None

    def _read_twice(self, span: Span) -> bytes:
        data = b"".join(self._chunks(span.key, span.start, span.end))
        at = 0
        for piece in self._chunks(span.key, span.start, span.end):
            if data[at : at + len(piece)] != piece:
                raise Unreachable(f"{span.key} was changed on the way.")
            at += len(piece)
        return data
