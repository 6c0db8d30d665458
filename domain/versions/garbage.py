"""Which stored objects may be removed: those of ours that no version refers to, or ever can."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from domain.versions.naming import INSTALLATION_KEY, training_file_of

MIN_SAFE_AGE = timedelta(hours=2)
"""Twice the longest commit, for clocks that differ."""

MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""Between the database, by whose clock a commit is refused, and the store, which dates objects."""


class Standing(Enum):
    KEPT = auto()
    """A version refers to it, or one still may."""
    GARBAGE = auto()
    FOREIGN = auto()
    """Not trainfold's, or not certainly; maintenance never touches it."""


@dataclass(frozen=True, slots=True)
class GarbageRule:
    """What tells garbage from the rest in one bucket, at one moment."""

    referenced: Collection[str]
    """Keys that versions refer to."""
    training_file_ids: Collection[UUID]
    bound_at: datetime
    """Since when only this database's trainfold writes into the bucket, by the store's clock."""
    now: datetime
    safe_age: timedelta
    """Longer than the longest commit."""

    def judge(self, key: str, begun: datetime) -> Standing:
        """Tell what becomes of an object or a multipart upload of that age."""
        if key in self.referenced or key == INSTALLATION_KEY:
            return Standing.KEPT
        training_file_id = training_file_of(key)
        if training_file_id is None:
            return Standing.FOREIGN
        # A create that crashed leaves objects of a training file that was never recorded. Older
        # ones may be another installation's.
        if training_file_id not in self.training_file_ids and begun <= self.bound_at:
            return Standing.FOREIGN
        return Standing.GARBAGE if self.now - begun > self.safe_age else Standing.KEPT
