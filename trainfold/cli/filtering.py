"""Options that filter conversations, for commands that list them."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from db.batches import find_batch
from db.conversation_search import Filters
from db.versions import find_version
from domain.source.vocabulary import EnrichmentStatus

MAX_QUALITY = 100


def _quality(text: str) -> Decimal:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,9})?", text, re.ASCII) or Decimal(text) > MAX_QUALITY:
        raise typer.BadParameter(f"a quality score is a number from 0 to {MAX_QUALITY}, as in 4.5")
    return Decimal(text)


BatchFilter = Annotated[
    list[str] | None,
    typer.Option("--batch", help="In this batch (its id or name); repeated: in any of them."),
]
StatusFilter = Annotated[EnrichmentStatus | None, typer.Option(help="With this enrichment status.")]
PersonaFilter = Annotated[str | None, typer.Option(help="With this persona key.")]
ArcFilter = Annotated[str | None, typer.Option(help="With this emotional arc key.")]
TopicFilter = Annotated[str | None, typer.Option(help="With this topic key.")]
TierFilter = Annotated[str | None, typer.Option(help="Of this tier.")]
QualityMin = Annotated[
    Decimal | None,
    typer.Option("--quality-min", parser=_quality, help="With this quality score or a higher."),
]
QualityMax = Annotated[
    Decimal | None,
    typer.Option("--quality-max", parser=_quality, help="With this quality score or a lower."),
]
CreatedFrom = Annotated[
    datetime | None,
    typer.Option(
        "--created-from", formats=["%Y-%m-%d"], help="Created on this day (UTC) or later."
    ),
]
CreatedUntil = Annotated[
    datetime | None,
    typer.Option("--created-until", formats=["%Y-%m-%d"], help="Created on this day or earlier."),
]
NotIn = Annotated[
    str | None, typer.Option("--not-in", metavar="FILE", help="Not in this training file.")
]


def filters_of(
    connection: Connection,
    *,
    batch: list[str] | None,
    not_in: str | None,
    created_from: datetime | None,
    created_until: datetime | None,
    **others: Any,
) -> Filters:
    """Look up the batches and the training file that options name; raise NotFound for another."""
    return Filters(
        batch_ids=tuple(find_batch(connection, it).id for it in batch or ()),
        not_in=find_version(connection, not_in).training_file_id if not_in else None,
        created_from=_day(created_from),
        created_until=_day(created_until),
        **others,
    )


def _day(midnight: datetime | None) -> date | None:
    return midnight.date() if midnight else None
