"""Measure queries over 100,000 conversations and 1,000 training files, and read their plans."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, event, text

from benchmarks import content
from benchmarks.measure import Figure, Report, Target, in_own_process
from db.batches import conversation_ids_of, find_batch
from db.engine import reading
from db.training_files import training_file_rows
from db.versions import versions
from domain.statistics import total
from domain.versions.requests import AddRequest
from operations import resources
from operations.admission import gate

FILL = """
    INSERT INTO trainfold.conversations (conversation_id, enrichment_status, enriched_file_path)
    SELECT gen_random_uuid(), 'completed', 'bench/' || n || '.json'
    FROM generate_series(1, :conversations) AS n;

    INSERT INTO trainfold.batch_jobs (id, name)
    SELECT gen_random_uuid(), 'Batch ' || n FROM generate_series(1, :conversations / 50) AS n;

    WITH numbered AS (SELECT conversation_id, row_number() OVER () AS n
                      FROM trainfold.conversations),
         jobs AS (SELECT id, row_number() OVER () AS n FROM trainfold.batch_jobs)
    INSERT INTO trainfold.batch_items (batch_job_id, conversation_id)
    SELECT jobs.id, numbered.conversation_id
    FROM numbered JOIN jobs ON jobs.n = 1 + (numbered.n - 1) / 50;

    INSERT INTO trainfold.training_files (id, name, name_key, description, consultant_profile,
                                current_version, created_at, created_by, updated_at)
    SELECT gen_random_uuid(), 'Library ' || n, 'library ' || n, '', '{}', 10, now(), 'bench', now()
    FROM generate_series(1, :files) AS n;

    INSERT INTO trainfold.training_file_versions
    SELECT id, n, gen_random_uuid(), 'x', 'add', now(), 'bench', id || '/' || n || '.json', 1, 'x',
           0, 1, id || '/' || n || '.jsonl', 1, 'x', 0, 10 * n, 40, 20, CAST(:statistics AS json),
           '[]'
    FROM trainfold.training_files, generate_series(1, 10) AS n WHERE name LIKE 'Library %';

    WITH files AS (SELECT id, row_number() OVER () AS n FROM trainfold.training_files
                   WHERE name LIKE 'Library %'),
         numbered AS (SELECT conversation_id, row_number() OVER () AS n
                      FROM trainfold.conversations)
    INSERT INTO trainfold.training_file_conversations
    SELECT files.id, numbered.conversation_id, 1 + numbered.n % 10, NULL, numbered.n, 'x', 1, 'x',
           1, 'x', 4, 2, 0, 12, 3, 3, 'production', 'p', 'a', 't'
    FROM numbered JOIN files ON files.n = 1 + numbered.n % :files
    WHERE numbered.n % 10 > 0
"""


def run(*, conversations: int, files: int, repeats: int) -> Report:
    report: Report = in_own_process(_measure, conversations, files, repeats)
    return report


def _measure(conversations: int, files: int, repeats: int) -> Report:
    statistics = total([content.fragments(1)[0].statistics]).model_dump_json()
    with resources.engine().begin() as connection:
        for statement in FILL.split(";"):
            values = {"conversations": conversations, "files": files, "statistics": statistics}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    with resources.engine().connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    with reading(resources.engine()) as connection:
        return _queries(connection, repeats)


def _queries(connection: Connection, repeats: int) -> Report:
    batch = connection.execute(text("SELECT id FROM trainfold.batch_jobs LIMIT 1")).scalar_one()
    request = AddRequest(
        training_file="Library 7",
        conversation_ids=tuple(map(str, _outside(connection, "Library 7"))),
        requested_by="bench",
        request_id=str(uuid4()),
    )
    work: dict[str, Callable[[], Any]] = {
        "gate for 80 conversations": lambda: gate(connection, request),
        "conversations of a batch": lambda: conversation_ids_of(
            connection, find_batch(connection, str(batch))
        ),
        "all training files": lambda: training_file_rows(connection),
        "versions of a training file": lambda: versions(connection, "Library 7"),
    }
    figures, notes, targets = [], [], []
    for name, query in work.items():
        figures.append(Figure(name, "ms", tuple(_milliseconds(query) for _ in range(5 * repeats))))
        with statements(connection) as sent:
            query()
        scans = [scan for statement in sent for scan in _scans(connection, *statement)]
        notes.append(f"{name}: {len(sent)} round trip(s); {', '.join(scans)}")
        if name.startswith("gate"):
            targets.append(Target("round trips of the gate", len(sent), 1))
            targets.append(Target("sequential scans by the gate", _sequential(scans), 0))
    return Report(figures, targets, notes)


def _outside(connection: Connection, name: str) -> list[UUID]:
    """Return 80 conversations that are not in the training file."""
    query = text("""
        SELECT conversation_id FROM trainfold.conversations c WHERE NOT EXISTS (
            SELECT FROM trainfold.training_file_conversations m JOIN trainfold.training_files f
                ON f.id = m.training_file_id AND f.name = :name
            WHERE m.conversation_id = c.conversation_id)
        ORDER BY conversation_id LIMIT 80
    """)
    return list(connection.execute(query, {"name": name}).scalars())


def _milliseconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


@contextmanager
def statements(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that are sent in the block, with their values."""
    sent: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        sent.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(connection, "before_cursor_execute", note)


def _scans(connection: Connection, statement: str, values: Any) -> list[str]:
    """List how the query's plan reads each table."""
    query = f"EXPLAIN (FORMAT JSON) {statement}"
    plans = connection.exec_driver_sql(query, values).scalar_one()
    return [scan for plan in plans for scan in _walk(plan["Plan"])]


def _walk(node: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in node:
        yield f"{node['Node Type']} of {node['Relation Name']}"
    for below in node.get("Plans", []):
        yield from _walk(below)


def _sequential(scans: list[str]) -> int:
    return sum(scan.startswith("Seq Scan") for scan in scans)
