"""The query of the conversations page: filters, order and page, as its URL carries them."""

from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import Field, ValidationError, field_validator

from db.conversation_search import Column, Filters, Order
from domain.frozen import FrozenModel
from domain.versions.naming import MAX_NAME_LENGTH

PATH = "/conversations"
PAGE_SIZES = ("25", "50", "100")
MAX_TEXT_LENGTH = 200
DESCENDING_FIRST: tuple[Column, ...] = ("created", "quality")


class BrowseQuery(FrozenModel):
    """Each field is a parameter of the URL, which leaves out defaults."""

    text: str = Field("", max_length=MAX_TEXT_LENGTH)
    batch: UUID | None = None
    status: str = Field("", max_length=MAX_TEXT_LENGTH)
    persona: str = Field("", max_length=MAX_TEXT_LENGTH)
    arc: str = Field("", max_length=MAX_TEXT_LENGTH)
    topic: str = Field("", max_length=MAX_TEXT_LENGTH)
    not_in: str = Field("", max_length=MAX_NAME_LENGTH)
    """The name of a training file."""
    sort: Column = "created"
    dir: Literal["asc", "desc"] = "desc"
    size: Literal["25", "50", "100"] = "50"
    page: int = Field(1, ge=1, le=10**9)

    @field_validator("text", "status", "persona", "arc", "topic", "not_in")
    @classmethod
    def _printable(cls, value: str) -> str:
        """Drop control characters: PostgreSQL takes no NUL, and nobody searches for the others."""
        return "".join(character for character in value if character.isprintable()).strip()

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read a URL's parameters and ignore invalid ones: an old or mistyped link still opens."""
        given = {name: value for name, value in parameters.items() if value}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            invalid = {detail["loc"][0] for detail in error.errors()}
            return cls.model_validate({k: v for k, v in given.items() if k not in invalid})

    @classmethod
    def from_query_string(cls, query_string: str) -> Self:
        return cls.from_parameters(dict(parse_qsl(query_string)))

    @property
    def query_string(self) -> str:
        return urlencode(self.model_dump(mode="json", exclude_defaults=True))

    @property
    def url(self) -> str:
        return f"{PATH}?{self.query_string}" if self.query_string else PATH

    @property
    def is_filtered(self) -> bool:
        return self != BrowseQuery(sort=self.sort, dir=self.dir, size=self.size, page=self.page)

    @property
    def page_size(self) -> int:
        return int(self.size)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size

    @property
    def order(self) -> Order:
        return Order(by=self.sort, descending=self.dir == "desc")

    def with_page(self, page: int) -> "BrowseQuery":
        return self.model_copy(update={"page": page})

    def sorted_by(self, column: Column) -> "BrowseQuery":
        """Return the first page in the column's order, reversed if the page has that order."""
        descending = self.dir == "asc" if self.sort == column else column in DESCENDING_FIRST
        changes = {"sort": column, "dir": "desc" if descending else "asc", "page": 1}
        return self.model_copy(update=changes)

    def filters(self, not_in: UUID | None) -> Filters:
        """Return the filters; `not_in` is the id of the training file that the query names."""
        return Filters(
            batch_ids=(self.batch,) if self.batch else (),
            status=self.status or None,
            persona=self.persona or None,
            arc=self.arc or None,
            topic=self.topic or None,
            text=self.text,
            not_in=not_in,
        )
