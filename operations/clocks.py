"""Clocks that have to agree: the database's orders commits, the store's dates objects."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.errors import NotReady
from domain.versions.garbage import MAX_CLOCK_DIFFERENCE


def require_same_time(clocks: Mapping[str, datetime]) -> timedelta:
    """Return how far the clocks are apart; raise NotReady where that is too far."""
    first, last = min(clocks, key=clocks.__getitem__), max(clocks, key=clocks.__getitem__)
    difference = clocks[last] - clocks[first]
    if difference > MAX_CLOCK_DIFFERENCE:
        minutes = difference.total_seconds() / 60
        raise NotReady(
            f"The clocks of the {first} ({clocks[first]:%Y-%m-%d %H:%M:%S}) and of the {last} "
            f"({clocks[last]:%Y-%m-%d %H:%M:%S}) differ by {minutes:,.0f} minutes. Nothing was "
            "changed: which object is old cannot be told, and links may not open. Set both "
            "clocks, then run this again."
        )
    return difference
