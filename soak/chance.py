"""Seeded random numbers: the same seed gives the same trial."""

from random import Random
from uuid import UUID


class Chance(Random):
    """A trial's random generator, seeded with text."""

    def uuid(self) -> UUID:
        return UUID(int=self.getrandbits(128), version=4)
