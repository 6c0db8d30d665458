"""Rows of figures, for each fragment's digest and revision of the rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from db.schema import FiguresTable


def known_figures(connection: Connection, digests: Sequence[str], *, rules: str) -> set[str]:
    """Return those of the digests whose figures are stored."""
    query = select(FiguresTable.json_sha256).where(
        FiguresTable.json_sha256 == func.any(list(digests)), FiguresTable.rules == rules
    )
    return set(connection.execute(query).scalars())


def stored_figures(
    connection: Connection, digests: Sequence[str], *, rules: str
) -> Mapping[str, dict[str, Any]]:
    """Return the stored figures by digest."""
    query = select(FiguresTable.json_sha256, FiguresTable.figures).where(
        FiguresTable.json_sha256 == func.any(list(digests)), FiguresTable.rules == rules
    )
    return {row.json_sha256: row.figures for row in connection.execute(query)}


def record_figures(
    connection: Connection, figures: Mapping[str, dict[str, Any]], *, rules: str
) -> None:
    """Store figures; those that are there already are the same."""
    rows = [
        {"json_sha256": digest, "rules": rules, "figures": value}
        for digest, value in figures.items()
    ]
    if rows:
        connection.execute(insert_or_leave(FiguresTable).on_conflict_do_nothing(), rows)
