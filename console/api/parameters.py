"""Types of what callers send. PostgreSQL has no NUL, which therefore is in no name."""

from typing import Annotated, TypeVar

from fastapi import Path
from pydantic import ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.frozen import FrozenModel
from domain.versions.tags import LATEST

WITHOUT_NUL = r"^[^\u0000]*$"
MAX_INTEGER = 2**31 - 1

T = TypeVar("T")


class _NeverNull:
    """Leaves null out of the description: a parameter is left out, and cannot be sent as null."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        assert schema["type"] == "nullable"  # noqa: S101 - `T | None` is
        return handler(schema["schema"])


Omittable = Annotated[T | None, _NeverNull()]

Text = Annotated[str, Field(pattern=WITHOUT_NUL)]
TrainingFileSegment = Annotated[
    str, Path(pattern=WITHOUT_NUL, description="The training file's id, or its name.")
]
VersionSegment = Annotated[
    str,
    Path(
        pattern=WITHOUT_NUL,
        description="The version's number, one of its tags, or `latest` for the current one.",
        examples=["3", "reviewed", LATEST],
    ),
]


class Parameters(FrozenModel):
    """The parameters of a query; one that is not among them is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Paging(Parameters):
    limit: int = Field(50, ge=1, le=100, description="At most so many items.")
    offset: int = Field(0, ge=0, le=MAX_INTEGER, description="Skip so many items.")
