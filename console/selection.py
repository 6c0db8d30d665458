"""The selection: conversations in the order of picking, at most as many as one request may name."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from domain.versions.requests import MAX_CONVERSATIONS


def apply_picks(
    selection: Sequence[UUID], *, shown: Collection[UUID], picked: Sequence[UUID]
) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """Apply the ticks of a page: of the rows it showed, exactly the picked ones are selected.

    Returns the new selection, and the picks for which it had no room.
    """
    remaining = [id for id in selection if id not in shown or id in picked]
    return extend_selection(remaining, picked)


def extend_selection(
    selection: Sequence[UUID], candidates: Iterable[UUID]
) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """Append the candidates that are not selected yet, up to the limit.

    Returns the new selection, and the candidates for which it had no room.
    """
    new = [id for id in dict.fromkeys(candidates) if id not in selection]
    room = MAX_CONVERSATIONS - len(selection)
    return (*selection, *new[:room]), tuple(new[room:])


def parse_uuids(texts: Iterable[str]) -> tuple[UUID, ...]:
    """Return the ids among a form's values, without those that are no UUID."""
    ids = []
    for text in texts:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return tuple(ids)
