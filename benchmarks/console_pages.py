"""Measure the console's pages at the server, with 100,000 conversations.

The console is started as `trainfold up` starts it, and asked over HTTP on loopback for every sort,
filter and page size.
"""

import json
import time
from collections.abc import Iterator

import httpx
from sqlalchemy import Engine, text

from benchmarks.measure import Figure, Report, Target
from operations import resources
from operations.settings import home_directory
from trainfold.stack import Service, Stack
from trainfold.stack.console import console_link

MAX_MILLISECONDS = 100

FILL = """
INSERT INTO trainfold.conversations (conversation_id, enrichment_status, enriched_file_path,
    persona_key, emotional_arc_key, topic_key, scaffolding_snapshot, quality_score, tier,
    created_at)
SELECT gen_random_uuid(),
       CASE WHEN n % 20 = 0 THEN 'enriched' WHEN n % 33 = 0 THEN 'validation_failed'
            ELSE 'completed' END,
       CASE WHEN n % 20 > 0 THEN 'bench/' || n || '.json' END,
       CASE WHEN n % 50 > 0 THEN 'persona_' || n * 7 % 12 END,
       'arc_' || n * 5 % 16, 'topic_' || n * 11 % 60,
       jsonb_build_object('persona', jsonb_build_object('name', 'Person ' || n % 120),
                          'training_topic', jsonb_build_object('name', 'Topic ' || n * 11 % 60)),
       CASE WHEN n % 40 > 0 THEN round((1 + random() * 4)::numeric, 2) END,
       (ARRAY['seed_dataset', 'production', 'experimental', 'rejected'])[1 + n % 4],
       now() - n * interval '1 minute'
FROM generate_series(1, {conversations}) AS n;

INSERT INTO trainfold.batch_jobs
SELECT gen_random_uuid(), 'batch ' || n FROM generate_series(1, 400) AS n;

INSERT INTO trainfold.batch_items (batch_job_id, conversation_id)
SELECT j.id, c.conversation_id
FROM (SELECT conversation_id, row_number() OVER () AS n FROM trainfold.conversations) AS c
JOIN (SELECT id, row_number() OVER () - 1 AS n FROM trainfold.batch_jobs) AS j
  ON (j.n = c.n % 400 AND c.n % 20 > 0) OR (j.n = (c.n + 7) % 400 AND c.n % 20 = 1);

INSERT INTO trainfold.training_files
SELECT gen_random_uuid(), 'File ' || n, 'file ' || n, 'A file', 'active', '{{}}',
    1, now(), 'bench', now() FROM generate_series(1, 50) AS n;

INSERT INTO trainfold.training_file_versions
SELECT f.id, 1, f.id::text, 'd', 'create', now(), 'bench',
       {version_columns},
       '{statistics}', '[]'
FROM trainfold.training_files AS f;

INSERT INTO trainfold.training_file_conversations
SELECT f.id, c.conversation_id, 1, NULL, row_number() OVER (), 's', 1, 'd', 1, 'd', 4, 2, 0, 12, 3,
       3, 'production', 'persona_1', 'arc_1', 'topic_1'
FROM (SELECT id FROM trainfold.training_files WHERE name = 'File 1') AS f,
     (SELECT conversation_id FROM trainfold.conversations LIMIT 10000) AS c;

ANALYZE;
"""


def run(*, conversations: int, repeats: int) -> Report:
    engine = resources.engine()
    fill(engine, conversations)
    with engine.connect() as connection:
        batch, id = connection.exec_driver_sql(
            "SELECT (SELECT id FROM trainfold.batch_jobs LIMIT 1), "
            "(SELECT conversation_id FROM trainfold.conversations LIMIT 1)"
        ).one()
    engine.dispose()
    stack = Stack(home_directory())
    stack.up([Service.CONSOLE], say=print)
    address = next(s.address for s in stack.status() if s.service is Service.CONSOLE)
    with httpx.Client(base_url=address or "", trust_env=False, timeout=60) as client:
        client.get(console_link(home_directory(), address or ""))
        figures = [
            Figure(name, "ms", _milliseconds(client, path, repeats))
            for name, path in pages(str(batch), "File 1", str(id))
        ]
    slowest = max(figures, key=lambda figure: figure.median)
    what = f"slowest of {len(figures)} pages ({slowest.name}), in ms"
    return Report(figures, [Target(what, slowest.median, MAX_MILLISECONDS)])


def pages(batch_id: str, file: str, id: str) -> Iterator[tuple[str, str]]:
    """Yield a name and a path for each page to measure."""
    yield "first page", "/conversations"
    for size in (25, 100):
        yield f"{size} rows", f"/conversations?size={size}"
    columns = ("title", "persona", "arc", "topic", "tier", "quality", "status", "batch", "created")
    for column in columns:
        for direction in ("asc", "desc"):
            yield f"sort {column} {direction}", f"/conversations?sort={column}&dir={direction}"
        yield f"sort {column}, last page", f"/conversations?sort={column}&dir=asc&page=40"
    filters = {
        "batch": f"batch={batch_id}",
        "status": "status=validation_failed",
        "persona": "persona=persona_3",
        "arc": "arc=arc_3",
        "topic": "topic=topic_7",
        "not in a file of 10,000": f"not_in={file}",
        "text in a key": "text=persona+3",
        "text in a name": "text=person+77",
        "text nowhere": "text=zebra",
        "text in a batch": "text=batch+17",
        "beginning of an id": f"text={id[:8]}",
        "persona and status": "persona=persona_3&status=completed",
    }
    for name, query in filters.items():
        yield f"filter {name}", f"/conversations?{query}"
        yield f"filter {name}, sort batch", f"/conversations?{query}&sort=batch"
        yield f"filter {name}, sort quality", f"/conversations?{query}&sort=quality"
    yield "training files", "/training-files"
    yield "training file of 10,000", "/training-files/File%201"
    yield "its last page", "/training-files/File%201?page=200"


def fill(engine: Engine, conversations: int) -> None:
    """Fill the tables; one training file has 10,000 conversations."""
    numbers = {
        "conversations": 10_000, "pairs": 40_000, "examples": 20_000, "human_reviewed": 0,
        "quality_sum": "120000", "quality_min": "1", "quality_max": "5",
        "personas": {f"persona_{n}": 834 for n in range(12)},
        "emotional_arcs": {f"arc_{n}": 625 for n in range(16)},
        "training_topics": {f"topic_{n}": 167 for n in range(60)},
        "tiers": {"production": 10_000},
    }  # fmt: skip
    with engine.begin() as connection:
        columns = connection.execute(
            text(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE (table_schema, table_name) = ('trainfold', 'training_file_versions') "
                "ORDER BY ordinal_position"
            )
        ).all()
        # The columns between these two describe the stored objects and the counts.
        names = [name for name, _ in columns]
        inner = columns[names.index("created_by") + 1 : names.index("statistics")]
        counts = {"conversation_count": "10000", "pair_count": "40000", "example_count": "20000"}
        values = ", ".join(
            counts.get(name, f"f.id || '{name}'" if kind == "text" else "1000000")
            for name, kind in inner
        )
        script = FILL.format(
            conversations=conversations,
            version_columns=values,
            statistics=json.dumps(numbers),
        )
        # The driver's own cursor leaves % alone when there are no values.
        driver_connection = connection.connection.driver_connection
        assert driver_connection is not None  # noqa: S101
        driver_connection.execute(script)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Autovacuum would do this after some time.
        connection.execute(text("VACUUM ANALYZE"))


def _milliseconds(client: httpx.Client, path: str, repeats: int) -> tuple[float, ...]:
    client.get(path).raise_for_status()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        client.get(path)
        times.append(1000 * (time.perf_counter() - start))
    return tuple(times)
