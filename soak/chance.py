"""Seeded randomness: the same seed gives the same trial."""

from random import Random
from uuid import UUID


class Chance(Random):
    """A generator of its own for each trial, seeded with text."""

    def uuid(self) -> UUID:
        return UUID(int=self.getrandbits(128), version=4)
