"""Ranges that a removal keeps, and names of tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.format.spans import Span, without
from domain.versions.tags import MAX_INTEGER, as_number, normal_tag, reference_problem, tag_problem
from tests.domain.making import steady


def held(text: bytes, spans: tuple[Span, ...]) -> bytes:
    return b"".join(text[span.start : span.end] for span in spans)


@steady
@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12),
    st.sampled_from([b",\n", b""]),
)
def test_ranges_without_pieces_are_the_other_pieces_with_separators_between(pieces, separator):
    texts = [bytes([97 + at]) * length for at, (length, _) in enumerate(pieces)]
    text = b"head" + separator.join(texts) + b"tail"
    gaps = [at for at, (_, is_removed) in enumerate(pieces) if is_removed]
    spans = without(Span("key", 4, len(text) - 4), map(len, texts), gaps, separator)
    kept = [each for at, each in enumerate(texts) if at not in gaps]
    assert held(text, spans) == separator.join(kept)
    assert len(spans) <= len(gaps) + 1


def test_neighbours_that_stay_are_one_range_and_nothing_is_between_ranges():
    content = Span("key", 10, 10 + 5 * 10 + 4 * 2)
    assert without(content, [10] * 5, [2], b",\n") == (Span("key", 10, 34), Span("key", 46, 68))
    assert without(content, [10] * 5, [3, 4], b",\n") == (Span("key", 10, 44),)
    assert without(content, [10] * 5, [0, 1], b",\n") == (Span("key", 34, 68),)


@pytest.mark.parametrize(
    "name",
    ["a", "v1.2", "2026-11", "été", "רענון", "हिन्दी", "A_b-c", "x" * 64, "Latest", "1a", "ا٣"],
)
def test_letters_of_any_script_make_a_tag(name):
    assert tag_problem(normal_tag(name)) is None
    assert reference_problem(name) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("0012", 12), ("0", 0), ("9" * 5_000, MAX_INTEGER), ("2147483648", MAX_INTEGER),
     ("-1", None), ("1.0", None), ("", None), ("٣", None), (" 1", None), ("1\n", None)],
)  # fmt: skip
def test_only_ascii_digits_are_a_number(text, number):
    assert as_number(text) == number
