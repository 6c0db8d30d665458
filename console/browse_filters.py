"""What the filters of a query name: batches and files that exist, words that conversations have.

A filter that names nothing finds nothing, and says so: showing all rows instead would put them one
click from a training file.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request

from console.browse_query import MAX_TEXT_LENGTH, BrowseQuery
from console.context import console_context
from db.batches import Batch, find_batch
from db.conversation_search import Filters, Order, Page, any_conversation, find_page, reachable_ids
from db.search_terms import KnownNames, SearchTerms
from db.training_files import training_file_rows
from domain.errors import NotFound
from domain.source.vocabulary import EnrichmentStatus

T = TypeVar("T")


class Search(NamedTuple):
    """The conversations that a query asks for."""

    terms: SearchTerms
    filters: Filters
    order: Order
    batch_label: str
    """The batch's name, or its id where several have the name."""
    problems: tuple[str, ...]
    """Why nothing can match, in words."""

    def page(self, connection: Connection, *, limit: int, offset: int) -> Page:
        if self.problems:
            return Page(0, ())
        return find_page(
            connection, self.filters, self.order, self.terms, limit=limit, offset=offset
        )

    def ids(self, connection: Connection) -> Iterator[list[UUID]]:
        """Yield the conversations of all pages."""
        if not self.problems:
            yield from reachable_ids(connection, self.filters, self.order, self.terms)


def search(request: Request, connection: Connection, query: BrowseQuery) -> Search:
    """Look up what the query's filters name."""
    terms = _terms(request, connection, query)
    problems = [*_long_values(query), *_unknown_words(connection, query, terms)]
    batch = not_in = None
    try:
        batch = find_batch(connection, query.batch) if query.batch else None
    except NotFound as error:
        problems.append(str(error))
    if query.not_in:
        files = training_file_rows(connection, query.not_in)
        not_in = files[0].id if files else None
        if not_in is None:
            problems.append(f"There is no training file “{query.not_in}”.")
    quality = _Parsed(query, ("quality_min", "quality_max"), Decimal, "is no number")
    days = _Parsed(query, ("created_from", "created_until"), date.fromisoformat, "is no day")
    problems += [*quality.problems, *days.problems]
    filters = Filters(
        batch_ids=(batch.id,) if batch else (),
        status=query.status or None,
        persona=query.persona or None,
        arc=query.arc or None,
        topic=query.topic or None,
        tier=query.tier or None,
        quality_at_least=quality.values[0],
        quality_at_most=quality.values[1],
        created_from=days.values[0],
        created_until=days.values[1],
        text=query.text,
        not_in=not_in,
    )
    label = _label(connection, batch) if batch else query.batch
    return Search(terms, filters, query.order, label, tuple(problems))


def with_batch_id(connection: Connection, query: BrowseQuery) -> BrowseQuery:
    """Return the query with the id of a batch that it names; its address outlives the name."""
    try:
        batch = find_batch(connection, query.batch) if query.batch else None
    except NotFound:
        return query
    return query.model_copy(update={"batch": str(batch.id)}) if batch else query


def _label(connection: Connection, batch: Batch) -> str:
    try:
        return str(batch.name) if find_batch(connection, str(batch.name)) == batch else ""
    except NotFound:
        return str(batch.id)


def _terms(request: Request, connection: Connection, query: BrowseQuery) -> SearchTerms:
    """Return the keys for the filters, and the names if the query searches them."""
    context = console_context(request)
    return SearchTerms(
        keys=context.known_keys.get(connection),
        names=context.known_names.get(connection) if query.text else KnownNames(),
    )


class _Parsed(Generic[T]):
    """The ends of a range, and sentences about those that are none."""

    def __init__(
        self, query: BrowseQuery, fields: Sequence[str], parse: Callable[[str], T], fault: str
    ) -> None:
        self.values: list[T | None] = []
        self.problems: list[str] = []
        for field in fields:
            text, value = getattr(query, field), None
            try:
                value = parse(text) if text else None
            except (ValueError, ArithmeticError):
                value = None
            if text and (value is None or not text.isascii() or not text[0].isdigit()):
                self.problems.append(f"{field.replace('_', ' ').capitalize()}: “{text}” {fault}.")
                value = None
            self.values.append(value)


def _long_values(query: BrowseQuery) -> Iterator[str]:
    if len(query.text) > MAX_TEXT_LENGTH:
        yield f"The text has {len(query.text):,} characters; at most {MAX_TEXT_LENGTH}."


def _unknown_words(connection: Connection, query: BrowseQuery, terms: SearchTerms) -> Iterator[str]:
    """Yield a sentence for each word that no conversation has."""
    words = {
        "status": (query.status, [status.value for status in EnrichmentStatus], "enrichment"),
        "persona": (query.persona, terms.keys.personas, "persona"),
        "arc": (query.arc, terms.keys.arcs, "arc"),
        "topic": (query.topic, terms.keys.topics, "topic"),
        "tier": (query.tier, (), "tier"),
    }
    for field, (word, known, name) in words.items():
        # Words that came within the last seconds are not among the known ones yet.
        is_known = not word or word in known
        if not is_known and not any_conversation(connection, Filters(**{field: word})):
            yield f"No conversation has the {name} “{word}”."
