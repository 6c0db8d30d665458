"""Measure queries on an application's large tables, without and with the offered indexes.

Keys of persona, arc and topic are in the snapshot alone, and batch items refer to the row's key.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, get_args
from uuid import uuid4

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from benchmarks.console_pages import fill
from benchmarks.measure import Figure, Report
from db.batches import Batch, conversation_ids_of, list_batches
from db.conversation_list import conversation_rows
from db.conversation_search import Column, Filters, Order, find_page
from db.engine import reading
from db.schemas import schemas_of, source_tables
from db.search_terms import SearchTerms, read_known_keys, read_known_names
from db.source_tables import offered_indexes
from domain.versions.requests import AddRequest
from operations import resources
from operations.admission import gate

MAX_SECONDS = 10
"""A query that takes longer is cancelled, and counts as that long."""
TABLES = """
CREATE TABLE public.conversations (
    id uuid PRIMARY KEY, conversation_id uuid NOT NULL UNIQUE, persona_key varchar(100),
    emotional_arc_key varchar(100), topic_key varchar(100), tier varchar(50),
    quality_score numeric(3,1), created_at timestamptz, scaffolding_snapshot jsonb,
    enrichment_status varchar(50), enriched_file_path text
);
CREATE TABLE public.batch_jobs (id uuid PRIMARY KEY, name text);
CREATE TABLE public.batch_items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    batch_job_id uuid NOT NULL REFERENCES public.batch_jobs (id), position integer NOT NULL,
    conversation_id uuid REFERENCES public.conversations (id)
);

INSERT INTO public.conversations
SELECT gen_random_uuid(), conversation_id, NULL, NULL, NULL, tier, quality_score, created_at,
       jsonb_build_object(
           'persona', jsonb_build_object('persona_key', persona_key,
                                         'name', scaffolding_snapshot #>> '{persona,name}'),
           'emotional_arc', jsonb_build_object('arc_key', emotional_arc_key),
           'training_topic', jsonb_build_object(
               'topic_key', topic_key, 'name', scaffolding_snapshot #>> '{training_topic,name}')),
       enrichment_status, enriched_file_path
FROM trainfold.conversations;

INSERT INTO public.batch_jobs SELECT id, name FROM trainfold.batch_jobs;

INSERT INTO public.batch_items (batch_job_id, position, conversation_id)
SELECT i.batch_job_id, i.id, c.id
FROM trainfold.batch_items i JOIN public.conversations c USING (conversation_id);
"""


def run(*, conversations: int, repeats: int) -> Report:
    engine = resources.engine()
    fill(engine, conversations)
    with engine.begin() as connection:
        connection.execute(text(TABLES))
    _vacuum(engine)
    schemas_of(engine).forget()
    bare = _measure(engine, "without indexes", repeats)
    with engine.begin() as connection:
        for index in offered_indexes(source_tables(connection).shape):
            connection.exec_driver_sql(index)
    _vacuum(engine)
    return Report([*bare, *_measure(engine, "with indexes", repeats)])


def _measure(engine: Engine, what: str, repeats: int) -> list[Figure]:
    with reading(engine) as connection:
        queries = _queries(connection)
        connection.execute(text(f"SET statement_timeout = '{MAX_SECONDS}s'"))
        return [
            Figure(f"{name}, {what}", "ms", _milliseconds(connection, query, repeats))
            for name, query in queries.items()
        ]


def _queries(connection: Connection) -> Mapping[str, Callable[[], Any]]:
    keys, names = read_known_keys(connection), read_known_names(connection)
    terms = SearchTerms(keys=keys, names=names)
    batch = list_batches(connection, limit=20)[-1]
    rows = conversation_rows(connection, conversation_ids_of(connection, batch))
    ids = [row.conversation_id for row in rows if row.enrichment_status == "completed"][:80]
    request = AddRequest(
        training_file="New",
        conversation_ids=tuple(map(str, ids)),
        new=True,
        requested_by="bench",
        request_id=str(uuid4()),
    )

    def page(order: Order, filters: Filters) -> Callable[[], Any]:
        return lambda: find_page(connection, filters, order, terms, limit=50)

    orders = {f"sort by {by}": page(Order(by=by), Filters()) for by in get_args(Column)}
    filters = {
        f"filter by {name}": page(Order(), chosen) for name, chosen in _filters(batch).items()
    }
    return {
        "gate for 80 conversations": lambda: gate(connection, request),
        "conversations of a batch": lambda: conversation_ids_of(connection, batch),
        "rows of a page": lambda: conversation_rows(connection, ids[:50]),
        "all keys": lambda: read_known_keys(connection),
        "all names": lambda: read_known_names(connection),
        **orders,
        **filters,
    }


def _filters(batch: Batch) -> dict[str, Filters]:
    return {
        "batch": Filters(batch_ids=(batch.id,)),
        "status": Filters(status="validation_failed"),
        "persona": Filters(persona="persona_3"),
        "arc": Filters(arc="arc_3"),
        "topic": Filters(topic="topic_7"),
        "a word of a key": Filters(text="persona 3"),
        "a word of a name": Filters(text="person 77"),
        "a word of a batch": Filters(text="17"),
        "a word of all batches": Filters(text="batch"),
        "a word that nothing has": Filters(text="zebra"),
    }


def _milliseconds(
    connection: Connection, query: Callable[[], Any], repeats: int
) -> tuple[float, ...]:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        try:
            with connection.begin_nested():
                query()
        except OperationalError:
            return (1000.0 * MAX_SECONDS,)
        times.append(1000 * (time.perf_counter() - start))
    return tuple(times)


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
