"""What an application sends to add conversations."""

from typing import Any

from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from console.api.parameters import Text
from db.batches import conversation_ids_of, find_batch
from domain.frozen import FrozenModel
from domain.versions.requests import MAX_DESCRIPTION_LENGTH, AddRequest

MAX_IDS = 1_000
"""In a body, so that the reasons for all of them fit an answer. The gate lets 80 pass."""


def without_defaults(schema: dict[str, Any]) -> None:
    """Leave defaults out: openapi-typescript takes a property that has one as required."""
    for described in schema["properties"].values():
        described.pop("default", None)


class Selection(FrozenModel):
    """Which conversations to add to which training file."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=without_defaults)

    training_file: str = Field(
        description="The training file's name: 1 to 120 characters.", examples=["Spring talks"]
    )
    new: bool = Field(False, description="Create the training file; its name must be free.")
    conversation_ids: list[str] = Field(
        [],
        max_length=MAX_IDS,
        description="Ids of at most 80 conversations, none twice, in the order they shall have.",
        examples=[["3c045402-b8f1-4633-ba1e-6ffb0666dbed"]],
    )
    batch: Text | None = Field(
        None,
        description="The id or the name of a batch whose conversations are added, too, after those "
        "that `conversation_ids` names.",
    )

    def request(self, connection: Connection, **values: Any) -> AddRequest:
        """Build the request that the operations know."""
        request = AddRequest(
            training_file=self.training_file,
            conversation_ids=tuple(self.conversation_ids),
            new=self.new,
            **values,
        )
        if self.batch is None:
            return request
        named = set(request.ids)
        in_batch = conversation_ids_of(connection, find_batch(connection, self.batch))
        others = (id for id in in_batch if id not in named)
        ids = (*request.conversation_ids, *others)
        return request.model_copy(update={"conversation_ids": ids})


class Addition(Selection):
    """What to add, and how."""

    description: Text = Field(
        "",
        max_length=MAX_DESCRIPTION_LENGTH,
        description="What a new training file is for.",
    )
    strict: bool = Field(False, description="Treat warnings as errors.")
