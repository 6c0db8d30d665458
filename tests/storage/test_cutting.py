"""How objects are cut into parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.format.spans import Segment, Span
from storage.multipart import MAX_PARTS, UploadPart, UploadStrategy, cut

OLD = bytes(range(256)) * 4


@st.composite
def segment(draw) -> Segment:
    if draw(st.booleans()):
        return draw(st.binary(min_size=1, max_size=40))
    start = draw(st.integers(0, 900))
    return Span("old", start, start + draw(st.integers(1, 124)))


def content(segments) -> bytes:
    return b"".join(
        each if isinstance(each, bytes) else OLD[each.start : each.end] for each in segments
    )


def size(part: UploadPart) -> int:
    return sum(map(len, part.segments))


@given(st.lists(segment(), max_size=12), st.integers(1, 50), st.integers(0, 50), st.booleans())
def test_parts_are_the_content_and_have_the_sizes_that_the_store_wants(
    segments, least, more, copies
):
    strategy = UploadStrategy(min_bytes=least, max_bytes=least + more, copies=copies)
    parts = list(cut(segments, strategy))
    assert b"".join(content(part.segments) for part in parts) == content(segments)
    for part in parts[:-1]:
        assert strategy.min_bytes <= size(part) <= strategy.max_bytes
    for part in parts:
        assert size(part) <= strategy.max_bytes
        if part.is_copy:
            assert strategy.copies
            assert [type(each) for each in part.segments] == [Span]
            assert size(part) >= strategy.min_bytes
        else:
            assert size(part) <= strategy.min_bytes


def test_what_is_sent_of_a_large_object_does_not_grow_with_it():
    strategy = UploadStrategy(min_bytes=5, max_bytes=128, copies=True)

    def sent(held: int) -> int:
        segments = [b"head", Span("old", 4, held), b"the end"]
        return sum(size(part) for part in cut(segments, strategy) if not part.is_copy)

    assert max(sent(10**4 + odd) for odd in range(200)) < 5 + 5 + len(b"the end")


@pytest.mark.parametrize("copies", [True, False])
def test_an_object_never_has_more_parts_than_s3_takes(copies):
    strategy = UploadStrategy(min_bytes=1, max_bytes=1, copies=copies)
    parts = list(cut([b"x" * 5, Span("old", 0, 25 * MAX_PARTS)], strategy))
    assert len(parts) <= MAX_PARTS
    assert sum(map(size, parts)) == 5 + 25 * MAX_PARTS
