"""The query of the conversations page: filters, order and page, as its URL carries them."""

from collections.abc import Collection, Mapping
from typing import Literal, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import Field, ValidationError, field_validator

from db.conversation_search import COLUMNS, Column, Order
from domain.frozen import FrozenModel

PATH = "/conversations"
PAGE_SIZES = ("25", "50", "100")
MAX_TEXT_LENGTH = 200
NAMED = (
    "batch", "status", "persona", "arc", "topic", "tier", "quality_min", "quality_max",
    "created_from", "created_until", "not_in",
)  # fmt: skip
FILTERS = ("text", *NAMED)
HIDEABLE = frozenset(COLUMNS) - {"title"}
DESCENDING_FIRST: tuple[Column, ...] = ("created", "quality")


class BrowseQuery(FrozenModel):
    """Each field is a parameter of the URL, which leaves out defaults."""

    text: str = ""
    batch: str = ""
    """The id or the name of a batch."""
    status: str = ""
    persona: str = ""
    arc: str = ""
    topic: str = ""
    tier: str = ""
    quality_min: str = ""
    quality_max: str = ""
    created_from: str = ""
    created_until: str = ""
    not_in: str = ""
    """The name of a training file."""
    sort: Column = "created"
    dir: Literal["asc", "desc"] = "desc"
    size: Literal["25", "50", "100"] = "50"
    page: int = Field(1, ge=1, le=10**9)
    hide: str = ""
    """Columns that are not shown, with commas between them."""

    @field_validator("text")
    @classmethod
    def _printable(cls, value: str) -> str:
        """Drop control characters: PostgreSQL takes no NUL, and nobody searches for the others."""
        return "".join(character for character in value if character.isprintable()).strip()

    @field_validator(*NAMED, "hide")
    @classmethod
    def _named(cls, value: str) -> str:
        """Show control characters: a filter of nothing else would be none, and find everything."""
        return "".join(c if c.isprintable() else "\ufffd" for c in value.strip(" "))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read a URL's parameters; an invalid order, size or page is the default one.

        Filters are kept as they are, and what they name is looked up when they are used.
        """
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
    def unfiltered(self) -> "BrowseQuery":
        """Return the query without filters, from its first page."""
        return BrowseQuery(sort=self.sort, dir=self.dir, size=self.size, hide=self.hide)

    @property
    def filter_count(self) -> int:
        return sum(bool(getattr(self, name)) for name in FILTERS)

    @property
    def is_filtered(self) -> bool:
        return self.filter_count > 0

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset(self.hide.split(",")) & HIDEABLE

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

    def showing(self, columns: Collection[str]) -> "BrowseQuery":
        """Return the query that shows these columns."""
        hidden = [column for column in COLUMNS if column in HIDEABLE and column not in columns]
        return self.model_copy(update={"hide": ",".join(hidden)})

    def sorted_by(self, column: Column) -> "BrowseQuery":
        """Return the first page in the column's order, reversed if the page has that order."""
        descending = self.dir == "asc" if self.sort == column else column in DESCENDING_FIRST
        changes = {"sort": column, "dir": "desc" if descending else "asc", "page": 1}
        return self.model_copy(update=changes)
