"""Limits on one conversation's file; exceeding one is a reason to refuse it."""

from pydantic import Field

from domain.frozen import FrozenModel


class Limits(FrozenModel):
    """Bounds on hostile or broken input, well above what real conversations need."""

    file_bytes: int = Field(16 * 1024 * 1024, gt=0)
    training_pairs: int = Field(1_000, gt=0)
    nesting: int = Field(64, gt=0, le=200)
    indentation_bytes: int = Field(64 * 1024 * 1024, gt=0)
    reasons_per_conversation: int = Field(20, gt=0)
