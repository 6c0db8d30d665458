"""Bytes to JSON values: what is refused, and what is not."""

import json
import re

import orjson
import pytest

from domain.source.limits import Limits
from domain.source.parsing import BadJson, parse
from tests.domain.making import LIMITS, exactly


def refused(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(BadJson) as caught:
        parse(data, limits)
    assert len(caught.value.text) < 300
    return caught.value.code


def nested(levels: int) -> list:
    """A list with a 1 that many levels deep."""
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("data", [b"", b" ", b"\n\t \r\n"])
def test_an_empty_file_is_refused_as_empty(data):
    assert refused(data) == "empty-file"


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"{",
        b'{"a": 1',
        b'{"a": 1,}',
        b"[1,]",
        b"{'a': 1}",
        b"{a: 1}",
        b'{"a": 1} trailing',
        b"{}{}",
        b'{"a": 1}\n{"a": 2}\n',
        b"{}\x00",
        b"\x00",
        b'{"a": "\x00"}',
        b'{"a": "line\nbreak"}',
        b'{"a": "\\x41"}',
        b'{"a": "\\u12"}',
        b"NaN",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": -1e400}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": 01}',
        b'{"a": .5}',
        b'{"a": +1}',
        b'{"a": 0x10}',
        b'{"a": 1_000}',
        b"// a comment\n{}",
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00"}',
        b'{"a": "\\ud800\\u0041"}',
        b'{"\\ud800": 1}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_is_refused(data):
    assert refused(data) == "not-json"


@pytest.mark.parametrize(
    "number",
    ["1e-400", "-2.5E-0400", "0.01e-999", "0." + "0" * 400 + "1", "1" + "0" * 20 + "e-400"],
)
def test_a_number_that_would_become_0_is_refused(number):
    assert refused(f'{{"a": {number}}}'.encode()) == "number-too-small"


@pytest.mark.parametrize("number", ["0e-400", "-0.0", "0.000e-999", "1e-300", "0.0"])
def test_a_number_that_is_0_or_merely_small_is_no_reason(number):
    assert parse(f'{{"a": {number}}}'.encode(), LIMITS) == {"a": float(number)}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"])
def test_other_encodings_than_utf_8_are_refused(encoding):
    data = '{"a": "größer, née"}'.encode(encoding)
    assert refused(data) in {"not-utf-8", "not-json"}


@pytest.mark.parametrize(
    "data",
    [b"\xff", b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf5\x80\x80\x80"', b'"caf\xe9"', b'"\xe2\x82"'],
)
def test_bytes_that_are_no_utf_8_are_refused_with_their_place(data):
    with pytest.raises(BadJson, match="byte"):
        parse(data, LIMITS)
    assert refused(data) == "not-utf-8"


def test_a_byte_order_mark_is_refused_by_name():
    assert refused(b"\xef\xbb\xbf{}") == "byte-order-mark"


REPEATS = [
    b'{"a": 1, "a": 2}',
    b'{"a": 1, "a": 1}',
    b'{"a":1,"\\u0061":2}',
    b'{"o": {"a": 1, "b": 2, "a": 3}}',
    b'[1, [2, {"a": 1, "a": 2}]]',
    b'{"a": {}, "b": [{"k": 1, "k": {"k": 1}}]}',
    b'{"a"  :1,"a"\n:2}',
    b'{"": 1, "": 2}',
    b'{"a": "\\": \\": ", "a": 2}',
    b'{"\\"": 1, "\\"": 2}',
    '{"é": 1, "\\u00e9": 2}'.encode(),
]


@pytest.mark.parametrize("data", REPEATS)
def test_a_repeated_key_is_refused_at_every_level(data):
    assert refused(data) == "repeated-key"


def test_a_repeated_key_is_refused_as_deep_as_files_may_nest():
    depth = LIMITS.nesting - 2
    data = b"[" * depth + b'{"a": 1, "a": 2}' + b"]" * depth
    assert refused(data) == "repeated-key"


@pytest.mark.parametrize(
    "text",
    [
        r'{"a": "he said \": yes", "b": 1}',
        r'{"a": "\":\":\":"}',
        r'{"a": "{\"a\": 1, \"a\": 2}"}',
        r'{"\":": 1, "b": "\" :"}',
        r'[": ", "a", ":"]',
        r'{"a": {"a": {"a": 1}}}',
        r'[{"a": 1}, {"a": 1}]',
        '{"é": 1, "e\u0301": 2}',  # alike to the eye, different keys
        r'{"a": "12345678901234567890123"}',
        '{"a": ' + '"' + "1" * 5_000 + '"}',
        r'{"id": "b1946ac9-1234567890123456789012"}',
        r'{"a": 0.1234567890123456789012345}',
        r'{"a": 1234567890123456789012.5}',
        r'{"a": 12345678901234567890e5}',
    ],
)
def test_look_alikes_raise_no_false_alarm(text):
    assert exactly(parse(text.encode(), LIMITS)) == exactly(json.loads(text))


@pytest.mark.parametrize("number", [0, -1, 2**63, -(2**63), 2**64 - 1, 1234567890123456789])
def test_integers_of_64_bits_are_read_as_they_are(number):
    assert exactly(parse(b"[%d]" % number, LIMITS)) == exactly([number])


@pytest.mark.parametrize(
    "digits",
    ["18446744073709551616", "-9223372036854775809", "1" + "0" * 30, "-" + "9" * 300],
)
@pytest.mark.parametrize("frame", ["{}", "[{}]", '{{"a": {}}}', '{{"a": "\\":", "b": [{}]}}'])
def test_an_integer_beyond_64_bits_is_refused(digits, frame):
    assert refused(frame.format(digits).encode()) == "number-too-large"


@pytest.mark.parametrize(("frame", "innermost"), [("[%s]", "1"), ('{"a": %s}', "1")])
def test_nesting_is_allowed_up_to_the_limit_and_not_beyond(frame, innermost):
    limits = Limits(nesting=7)
    text = innermost
    for _ in range(7):
        text = frame % text
    assert parse(text.encode(), limits) == json.loads(text)
    assert refused((frame % text).encode(), limits) == "too-deep"


@pytest.mark.parametrize("brackets", [66, 200, 900])
def test_nesting_beyond_the_limit_is_too_deep_whatever_is_inside(brackets):
    inner = rb'{"a": "\": ", "b": 1, "b": 12345678901234567890}'
    assert refused(b"[" * brackets + inner + b"]" * brackets) == "too-deep"


def test_the_slow_reading_copes_with_the_largest_nesting_that_can_be_set():
    limits = Limits(nesting=200)
    data = b"[" * 199 + rb'"\": "' + b"]" * 199
    assert parse(data, limits) == json.loads(data)


@pytest.mark.parametrize(
    "data",
    [
        rb'{"a": "' + rb"\": " * 500_000 + b'"}',
        b'{"a": "' + b"1" * 2_000_000 + b'"}',
        b'{"a"' + b" " * 2_000_000 + b": 1}",
        b" " * 2_000_000 + b"{}",
        b"[" + b"0," * 500_000 + b"0]",
    ],
    ids=["look-alikes", "digits", "blanks before a colon", "blanks", "many values"],
)
def test_large_odd_files_are_read_in_no_time(data):
    assert exactly(parse(data, LIMITS)) == exactly(json.loads(data))


@pytest.mark.parametrize("value", ["1", "null", "true", '"a"', "[]", "3.0", "1E2", "-0.0"])
def test_any_json_value_is_a_document(value):
    assert exactly(parse(value.encode(), LIMITS)) == exactly(json.loads(value))


def test_a_small_file_that_indentation_would_swell_is_refused():
    data = b"[" * 60 + b",".join([b"[]"] * 700_000) + b"]" * 60
    assert refused(data) == "too-much-nested"


def test_a_flat_file_of_as_many_values_is_not():
    assert parse(b"[" + b",".join([b"[]"] * 700_000) + b"]", LIMITS) == [[]] * 700_000


def test_a_refusal_never_repeats_a_long_key():
    key = "k" * 1_000_000
    with pytest.raises(BadJson) as caught:
        parse(f'{{"{key}": 1, "{key}": 2}}'.encode(), LIMITS)
    assert re.search("k{50}", caught.value.text)
    assert len(caught.value.text) < 200


INDENTED = {
    b'{\n  "a": 1,\n  "a": 1\n}': "repeated-key",
    b'{\n  "a": 18446744073709551616\n}': "number-too-large",
    b"[\n  " + b"[\n" * 64 + b"1" + b"]\n" * 64 + b"\n]": "too-deep",
    orjson.dumps(nested(65), option=orjson.OPT_INDENT_2): "too-deep",
    orjson.dumps([1], option=orjson.OPT_INDENT_2) + b"\n]": "not-json",
}


@pytest.mark.parametrize(("data", "code"), INDENTED.items())
def test_a_document_in_the_usual_layout_is_refused_as_any_other(data, code):
    assert refused(data) == code


def test_a_document_in_the_usual_layout_may_be_as_deep_as_any_other():
    data = orjson.dumps(nested(64), option=orjson.OPT_INDENT_2)
    assert parse(data, LIMITS) == nested(64) == parse(orjson.dumps(nested(64)), LIMITS)
