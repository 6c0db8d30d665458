"""With the indexes that trainfold offers, an application's large tables are read by index."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from sqlalchemy import Connection, Engine, event, text

from db import migrate
from db.batches import conversation_ids_of, find_batch
from db.conversation_list import conversation_rows
from db.conversation_search import Column, Filters, Order, find_page, reachable_ids
from db.engine import reading
from db.schemas import source_tables
from db.search_terms import SearchTerms, read_known_keys, read_known_names
from db.source_tables import offered_indexes
from operations.admission import gate
from tests.asking import request
from tests.db.conftest import execute
from tests.db.test_source_tables import BY_ID, BY_KEY, IDS_ARE_TEXT

LARGE = """
    INSERT INTO conversations (conversation_id, enrichment_status, enriched_file_path,
                               scaffolding_snapshot, quality_score, created_at)
    SELECT gen_random_uuid(), CASE mod(n, 20) WHEN 0 THEN 'enriched' ELSE 'completed' END,
           n || '.json',
           jsonb_build_object(
               'persona', jsonb_build_object('persona_key', 'persona_' || mod(n, 300),
                                             'name', 'Person ' || mod(n, 400)),
               'emotional_arc', jsonb_build_object('arc_key', 'arc_' || mod(n, 300)),
               'training_topic', jsonb_build_object('topic_key', 'topic_' || mod(n, 300),
                                                    'name', 'Topic ' || mod(n, 300))),
           mod(n, 90) / 10.0, now() - n * interval '1 minute'
    FROM generate_series(1, 30000) AS n;
    INSERT INTO batch_jobs (id, name) SELECT gen_random_uuid(), 'import' || n
    FROM generate_series(1, 300) AS n;
    INSERT INTO batch_items (batch_job_id, position, conversation_id)
    SELECT j.id, c.n, c.{key}
    FROM (SELECT id, conversation_id, row_number() OVER () AS n FROM conversations) AS c
    JOIN (SELECT id, row_number() OVER () - 1 AS n FROM batch_jobs) AS j ON j.n = mod(c.n, 300);
"""
KEYS = {BY_KEY: "id", BY_ID: "conversation_id", IDS_ARE_TEXT: "id"}


@contextmanager
def plans(connection: Connection) -> Iterator[list[str]]:
    """Collect the plans of the statements that are sent meanwhile."""
    found: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        raw = connection.connection.driver_connection
        rows = raw.execute("EXPLAIN " + statement, values).fetchall()
        found.append("\n".join([statement, *(row[0] for row in rows)]))

    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", explain)


@pytest.mark.parametrize("tables", KEYS, ids=["by key", "by id", "ids are text"])
def test_no_page_and_no_gate_reads_a_table_row_by_row(empty_database: Engine, tables: str):
    engine = empty_database
    migrate.upgrade(engine)
    execute(engine, tables)
    execute(engine, LARGE.format(key=KEYS[tables]))
    with reading(engine) as connection:
        indexes = offered_indexes(source_tables(connection).shape)
    execute(engine, "".join(indexes) + "ANALYZE")
    with reading(engine) as connection:
        connection.execute(text("SET LOCAL random_page_cost = 1.1"))
        terms = SearchTerms(keys=read_known_keys(connection), names=read_known_names(connection))
        batch = find_batch(connection, "import7")
        ids = conversation_ids_of(connection, batch)
        today = datetime.now(UTC).date()
        with plans(connection) as made:
            for column in get_args(Column):
                for descending in (False, True):
                    order = Order(by=column, descending=descending)
                    assert next(reachable_ids(connection, Filters(), order, terms))
            for filters in (
                Filters(persona="persona_7"),
                Filters(arc="arc_7"),
                Filters(topic="topic_7"),
                Filters(status="enriched"),
                Filters(batch_ids=(batch.id,)),
                Filters(batch_ids=(batch.id, find_batch(connection, "import8").id)),
                Filters(batch_ids=(batch.id,), quality_at_least=Decimal(8)),
                Filters(quality_at_least=Decimal("8.8")),
                Filters(quality_at_most=Decimal("0.1")),
                Filters(created_from=today - timedelta(days=1), created_until=today),
                Filters(created_until=today - timedelta(days=20)),
                Filters(tier="rejected"),
                Filters(text="persona 177"),
                Filters(text="topic 177"),
                Filters(text="import177"),
                Filters(text=str(ids[0])[:8]),
                Filters(text="nowhere"),
            ):
                find_page(connection, filters, Order(), terms, limit=50)
            conversation_rows(connection, ids[:50])
            gate(connection, request("A", ids[:80], new=True))
            conversation_ids_of(connection, batch)
    assert len(made) > 40
    for plan in made:
        assert "Seq Scan on conversations" not in plan, plan
        assert "Seq Scan on batch_items" not in plan, plan


def test_tables_of_our_own_have_their_indexes(engine: Engine):
    with reading(engine) as connection:
        assert offered_indexes(source_tables(connection).shape) == []
