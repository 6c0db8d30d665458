"""Limits on one conversation's file, and on a request; exceeding one is a reason to refuse it."""

from pydantic import Field

from domain.frozen import FrozenModel


class Limits(FrozenModel):
    """Bounds on hostile or broken input, well above what real conversations need."""

    file_bytes: int = Field(16 * 1024 * 1024, gt=0)
    training_pairs: int = Field(1_000, gt=0)
    nesting: int = Field(64, gt=0, le=200)
    indentation_bytes: int = Field(32 * 1024 * 1024, gt=0)
    reasons_per_conversation: int = Field(20, gt=0)
    warnings_per_conversation: int = Field(100, gt=0)
    request_bytes: int = Field(64 * 1024 * 1024, gt=0)
    """Of all source files of a request, which a run holds in memory together."""
    request_rendered_bytes: int = Field(256 * 1024 * 1024, gt=0)
    """Of what a request's conversations contribute to both files, indented."""
    request_warnings: int = Field(1_000, gt=0)
