"""Measure the console's pages on an application's tables, without and with the offered indexes.

Keys of persona, arc and topic are in the snapshot alone, and batch items refer to the row's key.
"""

import httpx
from sqlalchemy import Engine, text

from benchmarks.console_pages import MAX_MILLISECONDS, fill, milliseconds, pages
from benchmarks.measure import Figure, Report, Target
from db.schemas import schemas_of, source_tables
from db.source_tables import offered_indexes
from operations import resources
from operations.settings import home_directory
from trainfold.stack import Service, Stack

SCANNING = "filter text in a batch"
"""Without an index, this scans the batch items once per conversation, for minutes."""
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
    with engine.connect() as connection:
        indexes = offered_indexes(source_tables(connection).shape)
        batch, id = connection.exec_driver_sql(
            "SELECT (SELECT id FROM public.batch_jobs LIMIT 1), "
            "(SELECT conversation_id FROM public.conversations LIMIT 1)"
        ).one()
    # Each sort and filter by itself: the combinations cost the same for tables of our own.
    paths = [page for page in pages(str(batch), "File 1", str(id)) if "," not in page[0]]
    stack = Stack(home_directory())
    stack.up([Service.CONSOLE], say=print)
    address = next(s.address for s in stack.status() if s.service is Service.CONSOLE)
    with httpx.Client(base_url=address or "", trust_env=False, timeout=60) as client:
        bare = [
            Figure(f"{name}, without indexes", "ms", milliseconds(client, path, repeats))
            for name, path in paths
            if name != SCANNING
        ]
        with engine.begin() as connection:
            for index in indexes:
                connection.exec_driver_sql(index)
        _vacuum(engine)
        indexed = [
            Figure(f"{name}, with indexes", "ms", milliseconds(client, path, repeats))
            for name, path in paths
        ]
    engine.dispose()
    slowest = max(indexed, key=lambda figure: figure.median)
    what = f"slowest of {len(indexed)} pages ({slowest.name}), in ms"
    return Report([*bare, *indexed], [Target(what, slowest.median, MAX_MILLISECONDS)])


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
