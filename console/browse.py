"""What the conversations page shows, as its URL says it."""

from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from db.conversation_search import Column, Filters, Order
from domain.naming import MAX_NAME_LENGTH

SIZES = ("25", "50", "100")
PATH = "/conversations"
LONGEST_TEXT = 200


class Browse(BaseModel):
    """Every field is a parameter of the URL, and there only where it is not the default."""

    model_config = ConfigDict(frozen=True)

    text: str = Field("", max_length=LONGEST_TEXT)
    batch: UUID | None = None
    status: str = Field("", max_length=LONGEST_TEXT)
    persona: str = Field("", max_length=LONGEST_TEXT)
    arc: str = Field("", max_length=LONGEST_TEXT)
    topic: str = Field("", max_length=LONGEST_TEXT)
    not_in: str = Field("", max_length=MAX_NAME_LENGTH)
    """The name of a training file."""
    sort: Column = "created"
    dir: Literal["asc", "desc"] = "desc"
    size: Literal["25", "50", "100"] = "50"
    page: int = Field(1, ge=1, le=10**9)

    @field_validator("text", "status", "persona", "arc", "topic", "not_in")
    @classmethod
    def _printable(cls, value: str) -> str:
        """PostgreSQL takes no NUL, and nobody searches for control characters."""
        return "".join(character for character in value if character.isprintable()).strip()

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self:
        """What is not understood counts as not given: an old or mistyped link still opens."""
        given = {name: value for name, value in parameters.items() if value}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            wrong = {each["loc"][0] for each in error.errors()}
            return cls.model_validate({k: v for k, v in given.items() if k not in wrong})

    @classmethod
    def of_query(cls, query: str) -> Self:
        return cls.of(dict(parse_qsl(query)))

    @property
    def query(self) -> str:
        return urlencode(self.model_dump(mode="json", exclude_defaults=True))

    @property
    def url(self) -> str:
        return f"{PATH}?{self.query}" if self.query else PATH

    @property
    def is_filtered(self) -> bool:
        plain = Browse(sort=self.sort, dir=self.dir, size=self.size, page=self.page)
        return self != plain

    @property
    def per_page(self) -> int:
        return int(self.size)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page

    @property
    def order(self) -> Order:
        return Order(by=self.sort, descending=self.dir == "desc")

    def at(self, page: int) -> "Browse":
        return self.model_copy(update={"page": page})

    def sorted_by(self, column: Column) -> "Browse":
        """The first page in a column's order; the other way round if it is that already."""
        other_way = self.dir == "asc" if self.sort == column else column in DOWN_FIRST
        changes = {"sort": column, "dir": "desc" if other_way else "asc", "page": 1}
        return self.model_copy(update=changes)

    def filters(self, not_in: UUID | None) -> Filters:
        return Filters(
            batch_id=self.batch,
            status=self.status or None,
            persona=self.persona or None,
            arc=self.arc or None,
            topic=self.topic or None,
            text=self.text,
            not_in=not_in,
        )


DOWN_FIRST: tuple[Column, ...] = ("created", "quality")
