"""Conversations, found by filters a page at a time, and the batches to filter by."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from console.addresses import training_file_name
from console.api import documents
from console.api.access import AUTHENTICATED
from console.api.errors import problems
from console.api.paging import next_page, page_of
from console.api.parameters import Omittable, Paging, Text
from console.browse_query import MAX_TEXT_LENGTH
from console.context import console_context
from db import batches as database
from db.batches import find_batch
from db.conversation_list import conversation_rows
from db.conversation_search import MAX_REACHABLE, Column, Filters, Order, find_page
from db.engine import reading
from db.search_terms import KnownNames, SearchTerms
from db.versions import find_version
from domain.source.vocabulary import EnrichmentStatus
from operations import resources
from operations.documents import conversation_document

MAX_BATCHES = 100
MAX_QUALITY = 100

Quality = Annotated[float, Field(ge=0, le=MAX_QUALITY)]

router = APIRouter(tags=["conversations"], dependencies=[AUTHENTICATED])


class ConversationQuery(Paging):
    """Filters, order and page; a filter that is left out does not filter."""

    status: Omittable[EnrichmentStatus] = Field(None, description="The status of the enrichment.")
    batch: tuple[Text, ...] = Field(
        (),
        max_length=MAX_BATCHES,
        description="The id or the name of a batch; repeated, those of any of the batches.",
    )
    persona: Omittable[Text] = Field(None, description="A persona key.")
    arc: Omittable[Text] = Field(None, description="An emotional arc key.")
    topic: Omittable[Text] = Field(None, description="A topic key.")
    tier: Omittable[Text] = Field(None, description="A tier.")
    quality_min: Omittable[Quality] = Field(None, description="The lowest quality score, included.")
    quality_max: Omittable[Quality] = Field(
        None, description="The highest quality score, included."
    )
    created_from: Omittable[date] = Field(
        None, description="The first day of creation, in UTC, included."
    )
    created_until: Omittable[date] = Field(
        None, description="The last day of creation, in UTC, included."
    )
    text: Text = Field(
        "",
        max_length=MAX_TEXT_LENGTH,
        description="Words that must all occur in a name, a key or a batch's name, or begin an id.",
    )
    not_in: Omittable[Text] = Field(
        None, description="The id or the name of a training file that does not hold them."
    )
    sort: Column = Field("created", description="What to sort by; those without it come last.")
    direction: Literal["asc", "desc"] = "desc"
    offset: int = Field(
        0,
        ge=0,
        lt=MAX_REACHABLE,
        description=f"Skip so many items. Pages lead to {MAX_REACHABLE:,} at most; filter, or "
        "reverse the order, to see others.",
    )


@router.get("/conversations", response_model=documents.Conversations, responses=problems(404))
def list_conversations(
    request: Request, query: Annotated[ConversationQuery, Query()]
) -> dict[str, Any]:
    """Find conversations. A batch or a training file that a filter names has to exist."""
    limit = min(query.limit, MAX_REACHABLE - query.offset)
    with reading(resources.engine()) as connection:
        page = find_page(
            connection,
            _filters(connection, query),
            Order(by=query.sort, descending=query.direction == "desc"),
            _search_terms(request, connection, query),
            limit=limit,
            offset=query.offset,
        )
        rows = conversation_rows(connection, page.ids)
    total = min(page.total, MAX_REACHABLE)
    end = query.offset + limit
    return {
        "items": [conversation_document(row) for row in rows],
        "total": total,
        "total_is_exact": total == page.total,
        "next": next_page(request, end) if end < total else None,
    }


@router.get("/batches", response_model=documents.Batches, responses=problems())
def list_batches(request: Request, page: Annotated[Paging, Query()]) -> dict[str, Any]:
    """List the batches by name."""
    with reading(resources.engine()) as connection:
        batches = database.list_batches(connection, limit=page.limit + 1, offset=page.offset)
    return page_of(batches, page, request)


def _filters(connection: Connection, query: ConversationQuery) -> Filters:
    return Filters(
        batch_ids=tuple(find_batch(connection, it).id for it in query.batch),
        status=query.status,
        persona=query.persona,
        arc=query.arc,
        topic=query.topic,
        tier=query.tier,
        quality_at_least=query.quality_min,
        quality_at_most=query.quality_max,
        created_from=query.created_from,
        created_until=query.created_until,
        text=query.text,
        not_in=_training_file_id(connection, query.not_in) if query.not_in else None,
    )


def _training_file_id(connection: Connection, segment: str) -> UUID:
    name = training_file_name(connection, segment)
    return find_version(connection, name).training_file_id


def _search_terms(
    request: Request, connection: Connection, query: ConversationQuery
) -> SearchTerms:
    """Return what the words of the query are looked up among, if it has any."""
    context = console_context(request)
    return SearchTerms(
        keys=context.known_keys.get(connection),
        names=context.known_names.get(connection) if query.text else KnownNames(),
    )
