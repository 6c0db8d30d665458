"""Types of what callers send. PostgreSQL has no NUL, which therefore is in no name."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

WITHOUT_NUL = r"^[^\u0000]*$"
MAX_INTEGER = 2**31 - 1

Omitted = SkipJsonSchema[None]
"""A parameter may be left out, but it cannot be sent as null."""

Text = Annotated[str, Field(pattern=WITHOUT_NUL)]
TrainingFileSegment = Annotated[
    str, Path(pattern=WITHOUT_NUL, description="The training file's id, or its name.")
]
VersionNumber = Annotated[int, Path(ge=1, le=MAX_INTEGER)]


class Parameters(BaseModel):
    """The parameters of a query; one that is not among them is a mistake, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Paging(Parameters):
    limit: int = Field(50, ge=1, le=100, description="At most so many items.")
    offset: int = Field(0, ge=0, le=MAX_INTEGER, description="Skip so many items.")
