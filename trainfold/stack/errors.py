"""The error of the local stack."""

from domain.errors import Unreachable


class StackError(Unreachable):
    """A local service that cannot be started or reached; trying again may not help."""
