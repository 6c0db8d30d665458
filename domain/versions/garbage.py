"""Which stored objects are garbage: no version refers to them, and none can any more."""

from collections.abc import Collection
from datetime import datetime, timedelta

MIN_SAFE_AGE = timedelta(hours=2)
"""Twice the longest commit, for clocks that differ."""


def is_garbage(
    key: str, modified: datetime, *, referenced: Collection[str], now: datetime, safe_age: timedelta
) -> bool:
    """Tell whether an object may be removed. `safe_age` must be longer than the longest commit."""
    return key not in referenced and now - modified > safe_age
