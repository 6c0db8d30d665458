"""How long the console's pages take at the server, with 100,000 conversations.

    python -m benchmarks.console_pages [--conversations N] [--repeats N] [--json PATH]

Starts a PostgreSQL of its own in a temporary home, fills it, starts a console as `trainfold up`
does, asks it for every sort, filter and page over HTTP on loopback, prints a table, and writes all
figures as JSON if asked to.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIMIT_MILLISECONDS = 100

FILL = """
INSERT INTO conversations (conversation_id, enrichment_status, enriched_file_path, persona_key,
    emotional_arc_key, topic_key, scaffolding_snapshot, quality_score, tier, created_at)
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

INSERT INTO batch_jobs SELECT gen_random_uuid(), 'batch ' || n FROM generate_series(1, 400) AS n;

INSERT INTO batch_items (batch_job_id, conversation_id)
SELECT j.id, c.conversation_id
FROM (SELECT conversation_id, row_number() OVER () AS n FROM conversations) AS c
JOIN (SELECT id, row_number() OVER () - 1 AS n FROM batch_jobs) AS j
  ON (j.n = c.n % 400 AND c.n % 20 > 0) OR (j.n = (c.n + 7) % 400 AND c.n % 20 = 1);

INSERT INTO training_files SELECT gen_random_uuid(), 'File ' || n, 'file ' || n, 'A file', 'active',
    '{{}}', 1, now(), 'bench', now() FROM generate_series(1, 50) AS n;

INSERT INTO training_file_versions
SELECT f.id, 1, f.id::text, 'd', 'create', now(), 'bench',
       {version_columns},
       '{statistics}', '[]'
FROM training_files AS f;

INSERT INTO training_file_conversations
SELECT f.id, c.conversation_id, 1, NULL, row_number() OVER (), 's', 1, 'd', 1, 'd', 4, 2, 0, 12, 3,
       3, 'production', 'persona_1', 'arc_1', 'topic_1'
FROM (SELECT id FROM training_files WHERE name = 'File 1') AS f,
     (SELECT conversation_id FROM conversations LIMIT 10000) AS c;

ANALYZE;
"""


def pages(batch_id: str, file: str, id: str) -> Iterator[tuple[str, str]]:
    """Yield the pages to measure: a name and an address each."""
    yield "first page", "/conversations"
    for size in (25, 100):
        yield f"{size} rows", f"/conversations?size={size}"
    columns = ("title", "persona", "arc", "topic", "tier", "quality", "status", "batch", "created")
    for column in columns:
        for way in ("asc", "desc"):
            yield f"sort {column} {way}", f"/conversations?sort={column}&dir={way}"
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


def fill(engine: Any, conversations: int) -> None:
    from sqlalchemy import text  # noqa: PLC0415 - the environment comes first

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
                "WHERE table_name = 'training_file_versions' ORDER BY ordinal_position"
            )
        ).all()
        # Whatever a version records of its objects, between who made it and what it holds.
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
        # The driver's own cursor: without values, it leaves % alone.
        connection.connection.driver_connection.execute(script)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As autovacuum does it in time.
        connection.execute(text("VACUUM ANALYZE"))


def measure(address: str, path: str, repeats: int) -> dict[str, Any]:
    import httpx  # noqa: PLC0415

    taken = []
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        client.get(path).raise_for_status()
        for _ in range(repeats):
            begun = time.perf_counter()
            client.get(path)
            taken.append(1000 * (time.perf_counter() - begun))
    return {"best_ms": min(taken), "median_ms": statistics.median(taken), "max_ms": max(taken)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="trainfold-bench-"))
    home.chmod(0o711)
    for name in [name for name in os.environ if name.startswith("TRAINFOLD_")]:
        del os.environ[name]
    os.environ["TRAINFOLD_HOME"] = str(home)
    try:
        found = run(home, asked.conversations, asked.repeats)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n")


def run(home: Path, conversations: int, repeats: int) -> dict[str, Any]:
    from db import migrate  # noqa: PLC0415 - the environment comes first
    from operations import resources  # noqa: PLC0415
    from trainfold.stack import Service, Stack  # noqa: PLC0415

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    stack = Stack(home)
    stack.up([Service.POSTGRES], say=say)
    try:
        engine = resources.engine()
        migrate.upgrade(engine)
        fill(engine, conversations)
        with engine.connect() as connection:
            batch, id = connection.exec_driver_sql(
                "SELECT (SELECT id FROM batch_jobs LIMIT 1), "
                "(SELECT conversation_id FROM conversations LIMIT 1)"
            ).one()
        engine.dispose()
        stack.up([Service.CONSOLE], say=say)
        (address,) = [str(it.address) for it in stack.status() if it.service is Service.CONSOLE]
        measured = {
            name: {"path": path} | measure(address, path, repeats)
            for name, path in pages(str(batch), "File 1", str(id))
        }
    finally:
        stack.down(say=lambda _: None)
    return {
        "conversations": conversations,
        "repeats": repeats,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "pages": measured,
    }


def report(found: dict[str, Any]) -> None:
    width = max(map(len, found["pages"]))
    print(f"{'page':<{width}}  best ms  median ms  slowest ms")
    for name, each in found["pages"].items():
        mark = "  *" if each["median_ms"] > LIMIT_MILLISECONDS else ""
        figures = f"{each['best_ms']:7.1f}  {each['median_ms']:9.1f}  {each['max_ms']:10.1f}"
        print(f"{name:<{width}}  {figures}{mark}")
    slow = sum(each["median_ms"] > LIMIT_MILLISECONDS for each in found["pages"].values())
    print(
        f"\n{len(found['pages'])} pages of {found['conversations']:,} conversations, "
        f"{slow} of them over {LIMIT_MILLISECONDS} ms"
    )


if __name__ == "__main__":
    main()
