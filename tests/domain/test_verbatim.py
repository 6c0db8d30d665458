"""Pairs are carried as they are (invariant 8)."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.format.jsonl import LINE_KEYS
from domain.versions.validation import validate
from soak.building import conversation, retell
from tests.domain.making import LIMITS, A, eligible, exactly, json_values, steady, texts, unordered

extras = st.dictionaries(texts.map("x_".__add__), json_values, max_size=3)


def carried(value: Any) -> tuple[list[Any], list[Any]]:
    """The pairs in the full file, and the example lines, of a conversation."""
    fragment = validate(orjson.dumps(value), eligible(), limits=LIMITS)
    pairs = orjson.loads(fragment.full)["training_pairs"]
    return pairs, [orjson.loads(line) for line in fragment.lines.splitlines()]


def assert_carried(value: Any) -> None:
    source = orjson.loads(orjson.dumps(value))["training_pairs"]
    pairs, lines = carried(value)
    assert exactly(pairs) == exactly(source)
    examples = [pair for pair in source if pair["target_response"]]
    assert len(lines) == len(examples)
    for line, pair in zip(lines, examples, strict=True):
        own = {"id": f"{pair['id']}_aaaaaaaa", "conversation_id": str(A)}
        assert unordered(line) == unordered(pair | own)
        assert list(line)[: len(LINE_KEYS)] == list(LINE_KEYS)
        unknown = [key for key in pair if key not in LINE_KEYS]
        assert list(line)[len(LINE_KEYS) :] == unknown


@steady
@given(extras, extras, st.integers(0, 3))
def test_unknown_keys_are_carried_with_value_type_and_order(at_root, inside, index):
    value = conversation(A)
    pair = value["training_pairs"][index]
    pair |= at_root
    for part in ("conversation_metadata", "emotional_context", "training_metadata"):
        pair[part] |= inside
    pair["training_metadata"]["quality_criteria"] |= inside
    assert_carried(value)


@steady
@given(st.permutations(list(conversation(A)["training_pairs"][1])))
def test_the_order_of_keys_in_the_source_is_kept_in_the_full_file(order):
    value = conversation(A)
    pair = value["training_pairs"][1]
    value["training_pairs"][1] = {key: pair[key] for key in order}
    assert_carried(value)


@pytest.mark.parametrize(
    "number", [0, 3, 3.0, -0.0, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, 2**64 - 1, -(2**63)]
)
def test_a_number_keeps_value_and_type(number):
    value = conversation(A)
    value["training_pairs"][1]["x"] = [number]
    assert_carried(value)


@pytest.mark.parametrize("score", [3, 3.0, 4.25])
def test_a_score_stays_an_integer_or_a_float(score):
    value = conversation(A, score=score)
    pairs, lines = carried(value)
    scores = [each["training_metadata"]["quality_score"] for each in [*pairs, *lines]]
    assert {repr(each) for each in scores} == {repr(score)}


@pytest.mark.parametrize(
    "text",
    [
        "\u2028\u2029",
        "\x00\x01\x1f\x7f\x85",
        "a\r\nb\rc",
        "👩‍👩‍👧",
        "e\u0301",
        "</script>",
        '"\\/',
        "\ufeff",
    ],
)
def test_a_text_stays_as_it_is_down_to_line_breaks_and_unicode_form(text):
    value = conversation(A)
    value["training_pairs"][1] |= {"target_response": f"x{text}", text: text}
    retell(value["training_pairs"])
    assert_carried(value)


def test_the_values_do_not_depend_on_how_the_source_was_laid_out():
    value = conversation(A)
    plain = validate(orjson.dumps(value), eligible(), limits=LIMITS)
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n\t ")
    assert validate(text, eligible(), limits=LIMITS) == plain


def test_escapes_in_the_source_are_only_another_way_to_write_the_same():
    value = conversation(A)
    value["training_pairs"][1]["target_response"] = "né 👋"
    retell(value["training_pairs"])
    data = orjson.dumps(value)
    escaped = data.replace("né 👋".encode(), b"n\\u00e9 \\ud83d\\udc4b")
    assert escaped != data
    assert validate(escaped, eligible(), limits=LIMITS) == validate(data, eligible(), limits=LIMITS)


def test_a_pairs_own_conversation_id_stays_in_the_full_file_only():
    pairs, lines = carried(conversation(A))
    assert {pair["conversation_id"] for pair in pairs} == {"budgeting"}
    assert {line["conversation_id"] for line in lines} == {str(A)}
