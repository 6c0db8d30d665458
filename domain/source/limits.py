"""Limits on one conversation's file, and on a request; exceeding one is a reason to refuse it."""

from pydantic import Field

from domain.frozen import FrozenModel

MAX = 2**40
RANGE = "a whole number from 1 to 2^40"


class Limits(FrozenModel):
    """Bounds on hostile or broken input, well above what real conversations need."""

    file_bytes: int = Field(16 * 1024 * 1024, gt=0, le=MAX, description=RANGE)
    training_pairs: int = Field(1_000, gt=0, le=MAX, description=RANGE)
    nesting: int = Field(64, gt=0, le=200, description="a whole number from 1 to 200")
    indentation_bytes: int = Field(32 * 1024 * 1024, gt=0, le=MAX, description=RANGE)
    reasons_per_conversation: int = Field(20, gt=0, le=MAX, description=RANGE)
    warnings_per_conversation: int = Field(100, gt=0, le=MAX, description=RANGE)
    request_bytes: int = Field(64 * 1024 * 1024, gt=0, le=MAX, description=RANGE)
    """Of all source files of a request, which a run holds in memory together."""
    request_rendered_bytes: int = Field(256 * 1024 * 1024, gt=0, le=MAX, description=RANGE)
    """Of what a request's conversations contribute to both files, indented."""
    request_warnings: int = Field(1_000, gt=0, le=MAX, description=RANGE)
