"""Parse a conversation file's bytes to JSON values without loss, or refuse them with a reason.

orjson parses. Values that it would change silently are refused: a repeated key (it keeps the last),
an integer beyond 64 bits (it becomes a float), a number beyond double range (if it is too small, it
becomes 0).
"""

import json
import re
from typing import Any

import orjson

from domain.findings import shortened
from domain.source.limits import Limits

KEY = re.compile(rb'"\s*:')
DIGITS_ALIKE = bytes.maketrans(b"0123456789", b"0" * 10)
LONG_INTEGER = b"0" * 19
TINY = re.compile(rb"[eE]-[0-9]{3}")
"""Besides 19 digits in a row, what every number that is too near to 0 for a double has."""

DEEPEST = 254
"""The number of levels that orjson can write."""


class BadJson(Exception):
    """The bytes are not an acceptable JSON document; the arguments are (code, text)."""

    @property
    def code(self) -> str:
        return str(self.args[0])

    @property
    def text(self) -> str:
        return str(self.args[1])


def parse(data: bytes, limits: Limits) -> Any:
    """Return the document's value; raises BadJson. `data` is UTF-8 without a byte order mark."""
    if not data.strip():
        raise BadJson("empty-file", "the file is empty")
    if data.startswith(b"\xef\xbb\xbf"):
        raise BadJson("byte-order-mark", "the file starts with a byte order mark; save it without")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        _refuse_other_encodings(data)
        raise BadJson("not-json", f"not JSON: {error}") from None
    if not _reads_back(value, data, limits):
        keys = _measure(value, limits)
        if (
            keys != len(KEY.findall(data))
            or LONG_INTEGER in data.translate(DIGITS_ALIKE)
            or TINY.search(data)
        ):
            _read_slowly(data)
    return value


def _reads_back(value: Any, data: bytes, limits: Limits) -> bool:
    """Tell whether the value, indented by two spaces, is the document: nothing was changed.

    The usual case, and the quickest proof. False proves nothing.
    """
    if len(data) * 2 * DEEPEST > limits.indentation_bytes:
        return False  # Written out, it could swell beyond the limit.
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:
        return False
    too_deep = b"\n" + b"  " * (limits.nesting + 1)
    is_same = data.startswith(text) and not data[len(text) :].strip()
    return is_same and too_deep not in text


def _refuse_other_encodings(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise BadJson("not-utf-8", f"not UTF-8: {error.reason} at byte {error.start}") from None


def _measure(value: Any, limits: Limits) -> int:
    """Count the keys of all objects; raise BadJson where the nesting is too deep.

    Also where there is so much so deep inside that the indented full file would swell.
    """
    keys = indentation = 0
    level = [value]
    for depth in range(limits.nesting + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                keys += len(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return keys
        indentation += 2 * (depth + 1) * len(below)
        if indentation > limits.indentation_bytes:
            raise BadJson("too-much-nested", "it holds too many values nested too deep")
        level = below
    raise BadJson("too-deep", f"nested more than {limits.nesting} levels deep")


def _read_slowly(data: bytes) -> None:
    """Settle what the quick count could not: it also counts look-alikes inside of strings."""
    json.loads(
        data,
        object_pairs_hook=_refuse_repeats,
        parse_int=_refuse_long,
        parse_float=_refuse_vanished,
    )


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise BadJson("repeated-key", f"the key {shortened(key)!r} occurs twice in one object")
        seen.add(key)


def _refuse_long(digits: str) -> int:
    number = int(digits) if len(digits) < 30 else None  # noqa: PLR2004 - far beyond 64 bits
    if number is None or not -(2**63) <= number < 2**64:
        raise BadJson("number-too-large", f"the integer {digits[:24]}… does not fit in 64 bits")
    return number


def _refuse_vanished(digits: str) -> float:
    number = float(digits)
    if number == 0 and re.match(r"[-0.]*[1-9]", digits):
        raise BadJson("number-too-small", f"the number {digits[:24]}… is too small for a double")
    return number
