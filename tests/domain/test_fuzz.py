"""Hostile bytes: whatever comes in, a fragment or reasons come out (invariant 13)."""

from collections.abc import Sequence

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked
from domain.findings import Reason
from domain.format.fragment import Fragment
from domain.source.limits import Limits
from domain.versions.validation import validate
from soak.building import as_bytes, conversation
from tests.domain.making import LIMITS, A, eligible, json_values, replaced, steady, walk, without

VALID = conversation(A, turns=2)
SOURCE = as_bytes(VALID)
PLACES = [path for path, _ in walk(VALID)]


often = settings(steady, max_examples=300)


def assert_good_form(reasons: Sequence[Reason], limits: Limits) -> None:
    assert 0 < len(reasons) <= limits.reasons_per_conversation + 1
    assert all(reason.conversation_id == str(A) for reason in reasons)
    assert all(reason.code not in ("", "invalid") for reason in reasons)
    assert all(len(reason.reason) < 1_000 for reason in reasons)
    assert all((reason.reason + (reason.path or "")).isprintable() for reason in reasons)


def judged(data: bytes, limits: Limits = LIMITS) -> Fragment | None:
    """The fragment, or None when the file is refused in good form."""
    try:
        fragment = validate(data, eligible(), limits=limits)
    except Blocked as blocked:
        assert_good_form(blocked.reasons, limits)
        return None
    assert orjson.loads(fragment.full)["training_pairs"] == orjson.loads(data)["training_pairs"]
    assert len(fragment.lines.splitlines()) == fragment.statistics.example_count
    return fragment


@often
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_in_good_form(data):
    assert judged(data) is None


pieces = st.binary(max_size=6) | st.sampled_from(
    [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\xff", b"\x00", b"null", b"NaN", b"1e999"]
)
cuts = st.tuples(st.integers(0, len(SOURCE)), st.integers(0, 30), pieces)


@often
@given(st.lists(cuts, min_size=1, max_size=4))
def test_a_valid_file_with_bytes_changed_is_judged(changes):
    data = SOURCE
    for at, length, piece in changes:
        data = data[:at] + piece + data[at + length :]
    judged(data)


@often
@given(st.integers(0, len(SOURCE) - 1))
def test_a_file_cut_short_is_refused(length):
    assert judged(SOURCE[:length]) is None


@often
@given(st.sampled_from(PLACES), json_values)
def test_a_valid_file_with_any_value_anywhere_is_judged(path, value):
    judged(orjson.dumps(replaced(VALID, path, value)))


@often
@given(st.lists(st.sampled_from([p for p in PLACES if p]), min_size=1, max_size=3))
def test_a_valid_file_with_parts_left_out_is_judged(paths):
    value = VALID
    for path in paths:
        try:
            value = without(value, path)
        except (KeyError, IndexError):
            continue
    judged(orjson.dumps(value))


@often
@given(json_values)
def test_any_json_is_judged(value):
    judged(orjson.dumps(value), Limits(nesting=2, reasons_per_conversation=1))
