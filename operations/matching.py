"""Find the conversations that conditions match."""

from uuid import UUID

from sqlalchemy import Connection

from db.batches import find_batch
from db.conversation_search import Filters, matching_ids
from db.search_terms import KnownKeys, KnownNames, SearchTerms, read_known_keys, read_known_names
from db.versions import find_version
from domain.versions.matching import Matching

NOTHING = SearchTerms(keys=KnownKeys(personas=(), arcs=(), topics=()), names=KnownNames())


def find_matching(connection: Connection, matching: Matching, *, limit: int) -> list[UUID]:
    """Return the conversations that match, oldest first, up to the limit.

    Raises NotFound for a batch or a training file that does not exist.
    """
    terms = NOTHING
    if matching.text:
        keys, names = read_known_keys(connection), read_known_names(connection)
        terms = SearchTerms(keys=keys, names=names)
    return matching_ids(connection, filters_of(connection, matching), terms, limit=limit)


def filters_of(connection: Connection, matching: Matching) -> Filters:
    """Look up the batches and the training file that the conditions name."""
    values = matching.model_dump(exclude={"batches", "text", "not_in"})
    return Filters(
        **values,
        batch_ids=tuple(find_batch(connection, batch).id for batch in matching.batches),
        text=matching.text or "",
        not_in=find_version(connection, matching.not_in).training_file_id
        if matching.not_in
        else None,
    )
