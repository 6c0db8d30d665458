"""The conversations that are picked: in the order of picking, at most as many as one request may
name.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from domain.versions.requests import MAX_CONVERSATIONS


def with_picks(
    selection: Sequence[UUID], *, shown: Collection[UUID], picked: Sequence[UUID]
) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """The selection after a page that showed some rows was sent with some of them picked.

    Returns the new selection, and the picks that had no room in it.
    """
    kept = [id for id in selection if id not in shown or id in picked]
    return with_more(kept, picked)


def with_more(
    selection: Sequence[UUID], more: Iterable[UUID]
) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """The selection and what is new in `more`, up to the limit; and what had no room."""
    new = [id for id in dict.fromkeys(more) if id not in selection]
    room = MAX_CONVERSATIONS - len(selection)
    return (*selection, *new[:room]), tuple(new[room:])


def uuids(texts: Iterable[str]) -> tuple[UUID, ...]:
    """The ids in a form; what is none is left out."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return tuple(found)
