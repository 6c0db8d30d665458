"""Conditions on conversations, as people write them: `persona=anxious_planner`, `quality>=4`."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from domain.errors import Blocked
from domain.findings import Reason, shortened
from domain.frozen import FrozenModel
from domain.source.vocabulary import EnrichmentStatus
from domain.versions.naming import can_be_stored

MAX_CONDITIONS = 100
MAX_VALUE_LENGTH = 200
MAX_QUALITY = 100
EXAMPLES = "persona=anxious_planner, quality>=4, created>=2026-03-01"

_CONDITION = re.compile(r"\s*([A-Za-z_-]*)\s*(>=|<=|=)(.*)", re.DOTALL)
_SCORE = re.compile(r"\d{1,3}(\.\d{1,9})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EQUAL, _RANGE = ("=",), ("=", ">=", "<=")


class Matching(FrozenModel):
    """Conditions that must all hold; a field that is None or empty is no condition."""

    batches: tuple[str, ...] = ()
    """Ids or names; a conversation of any of them matches."""
    persona: str | None = None
    arc: str | None = None
    topic: str | None = None
    tier: str | None = None
    status: str | None = None
    quality_at_least: Decimal | None = None
    quality_at_most: Decimal | None = None
    created_from: date | None = None
    created_until: date | None = None
    """Days in UTC; like scores, both ends are included."""
    text: str | None = None
    not_in: str | None = None
    """The name of another training file."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """Return the conditions in the form that `parse_conditions` reads, in one fixed order."""
        return tuple(self._written())

    def _written(self) -> Iterator[str]:
        yield from (f"batch={batch}" for batch in self.batches)
        for field in ("persona", "arc", "topic", "tier", "status"):
            if value := getattr(self, field):
                yield f"{field}={value}"
        yield from _bounds("quality", self.quality_at_least, self.quality_at_most)
        yield from _bounds("created", self.created_from, self.created_until)
        if self.text:
            yield f"text={self.text}"
        if self.not_in:
            yield f"not-in={self.not_in}"


def parse_conditions(texts: Iterable[str]) -> Matching:
    """Read conditions; raise Blocked with a reason for each that cannot be read.

    Only `batch` may be given several times, and means any of them.
    """
    values: dict[str, Any] = {}
    problems = []
    for count, text in enumerate(texts, 1):
        if count > MAX_CONDITIONS:
            problems.append(f"There are more than {MAX_CONDITIONS} conditions.")
            break
        try:
            _add(values, text)
        except ValueError as error:
            problems.append(f"“{shortened(text)}”: {error}.")
    if problems:
        raise Blocked([Reason(code="bad-condition", reason=problem) for problem in problems])
    return Matching.model_validate(values)


def _add(values: dict[str, Any], text: str) -> None:
    field, operator, value = _split(text)
    if field == "batch":
        values["batches"] = (*values.get("batches", ()), value)
        return
    read = _READ.get(field, str)
    for name in _names(field, operator):
        if name in values:
            raise ValueError(f"{field} is given twice; only batch may be")
        values[name] = read(value)


def _split(text: str) -> tuple[str, str, str]:
    condition = _CONDITION.fullmatch(text)
    if condition is None:
        raise ValueError(f"not a condition like {EXAMPLES}")
    field, operator, value = condition[1].lower().replace("_", "-"), condition[2], condition[3]
    if field not in FIELDS:
        raise ValueError(f"there is no field “{shortened(field)}”; fields are {', '.join(FIELDS)}")
    if operator not in FIELDS[field]:
        raise ValueError(f"{field} takes only {' and '.join(FIELDS[field])}")
    value = value.strip()
    if not value:
        raise ValueError(f"{field} has no value")
    if len(value) > MAX_VALUE_LENGTH or not can_be_stored(value):
        raise ValueError(f"{field} takes up to {MAX_VALUE_LENGTH} characters, and no NUL")
    return field, operator, value


def _names(field: str, operator: str) -> tuple[str, ...]:
    """Return the fields of Matching that a condition sets."""
    if field not in _BOUNDS:
        return (field.replace("-", "_"),)
    low, high = _BOUNDS[field]
    return {"=": (low, high), ">=": (low,), "<=": (high,)}[operator]


def parse_score(text: str) -> Decimal:
    """Read a quality score; raise ValueError for what is none."""
    if not _SCORE.fullmatch(text) or Decimal(text) > MAX_QUALITY:
        raise ValueError(f"a quality score is a number from 0 to {MAX_QUALITY}, as in 4.5")
    return Decimal(text)


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("a day is written as in 2026-03-01")


def _status(text: str) -> str:
    if text not in set(EnrichmentStatus):
        raise ValueError(f"status is one of {', '.join(EnrichmentStatus)}")
    return text


def _bounds(field: str, low: Decimal | date | None, high: Decimal | date | None) -> Iterator[str]:
    if low is not None and low == high:
        yield f"{field}={_plain(low)}"
        return
    if low is not None:
        yield f"{field}>={_plain(low)}"
    if high is not None:
        yield f"{field}<={_plain(high)}"


def _plain(value: Decimal | date) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value.isoformat()


FIELDS = dict.fromkeys(("batch", "persona", "arc", "topic", "tier", "status"), _EQUAL) | {
    "quality": _RANGE,
    "created": _RANGE,
    "text": _EQUAL,
    "not-in": _EQUAL,
}
"""Each field with the operators that it takes."""
_BOUNDS = {
    "quality": ("quality_at_least", "quality_at_most"),
    "created": ("created_from", "created_until"),
}
_READ: dict[str, Callable[[str], Any]] = {
    "quality": parse_score,
    "created": _day,
    "status": _status,
}
