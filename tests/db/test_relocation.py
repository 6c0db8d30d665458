"""An installation from before trainfold's own schema moves into it, and nothing else does."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from db import migrate
from db.engine import reading
from db.own_schema import statements_to_close
from db.schemas import source_tables
from db.versions import find_version, members
from domain.errors import AccessRefused, NotReady
from domain.source.limits import Limits
from domain.versions.record import VersionRecord
from operations import resources
from operations.add import add
from operations.verify import verify_version
from soak.building import as_bytes, conversation
from storage.store import ObjectStore
from tests.asking import request
from tests.db.conftest import engine_of, execute

OWN_TABLES = (Path(__file__).parent / "public_own_tables.sql").read_text()
SOURCE_TABLES = (Path(__file__).parent / "public_source_tables.sql").read_text()
SOURCES_OF_AN_APPLICATION = """
    CREATE TABLE conversations (
        conversation_id uuid PRIMARY KEY, enrichment_status varchar(50), enriched_file_path text,
        persona_key text, emotional_arc_key text, topic_key text, title text);
    CREATE TABLE batch_jobs (id uuid PRIMARY KEY, name text);
    CREATE TABLE batch_items (batch_job_id uuid, conversation_id uuid)
"""
TRAINING_FILES_OF_AN_APPLICATION = """
    CREATE TABLE training_files (id uuid PRIMARY KEY, name text, json_file_path text)
"""


def register(engine: Engine, schema: str) -> UUID:
    """Register a conversation in the source table of this schema."""
    id = uuid4()
    path = f"tests/{id}.json"
    data = as_bytes(conversation(id))
    resources.conversations_store().put(path, data, content_type="application/json")
    execute(
        engine,
        f"INSERT INTO {schema}.conversations (conversation_id, enrichment_status, "
        f"enriched_file_path) VALUES ('{id}', 'completed', '{path}')",
    )
    return id


def add_to(engine: Engine, ids: list[UUID], *, new: bool = False) -> VersionRecord:
    stores = (resources.conversations_store(), resources.training_files_store())
    return add(engine, *stores, request("Old talks", ids, new=new), limits=Limits())


COMMON_COLUMNS = text("""
    SELECT string_agg(quote_ident(here.column_name), ', ')
    FROM information_schema.columns here JOIN information_schema.columns older
      ON older.column_name = here.column_name AND older.table_name = here.table_name
    WHERE here.table_schema = 'trainfold' AND older.table_schema = 'public'
      AND here.table_name = :table
""")
MOVED = (
    "conversations",
    "training_files",
    "training_file_versions",
    "training_file_conversations",
)


def as_an_older_trainfold(engine: Engine, sources: str) -> None:
    """Put what the schema holds into tables of `public`, in the columns that these had then."""
    execute(engine, sources + ";" + OWN_TABLES)
    for table in MOVED:
        with engine.connect() as connection:
            columns = connection.execute(COMMON_COLUMNS, {"table": table}).scalar_one()
        copy = f"SELECT {columns} FROM trainfold.{table}"
        execute(engine, f"INSERT INTO public.{table} ({columns}) {copy}")
    execute(engine, "DROP SCHEMA trainfold CASCADE")


def tables(engine: Engine, schema: str) -> set[str]:
    with engine.connect() as connection:
        query = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema")
        return set(connection.execute(query, {"schema": schema}).scalars())


@pytest.mark.parametrize("sources", [SOURCE_TABLES, SOURCES_OF_AN_APPLICATION])
def test_versions_move_and_the_next_one_follows(
    project: Engine, training_files: ObjectStore, sources: str
):
    owner = engine_of(project, "owner")
    migrate.upgrade(owner)
    first = [register(owner, "trainfold") for _ in range(3)]
    add_to(owner, first[:2], new=True)
    recorded = add_to(owner, first[2:])
    as_an_older_trainfold(owner, sources)
    migrate.upgrade(owner)
    migrate.check_for_drift(owner)

    are_ours = sources is SOURCE_TABLES
    left = set() if are_ours else {"conversations", "batch_jobs", "batch_items"}
    assert tables(owner, "public") == left
    with reading(owner) as connection:
        assert find_version(connection, "Old talks") == recorded
        assert statements_to_close(connection) == []
        assert source_tables(connection).shape.is_ours == are_ours
    assert verify_version(owner, training_files, "Old talks") == recorded
    second = register(owner, "trainfold" if are_ours else "public")
    version = add_to(owner, [second])
    assert verify_version(owner, training_files, "Old talks") == version
    with reading(owner) as connection:
        held = [member.conversation_id for member in members(connection, version)]
    assert (version.number, held) == (3, [*first, second])
    migrate.upgrade(owner)
    owner.dispose()


def test_source_tables_that_an_application_has_extended_stay_where_they_are(project: Engine):
    owner = engine_of(project, "owner")
    extended = "; ALTER TABLE conversations ADD COLUMN title text;"
    execute(owner, SOURCE_TABLES + extended + OWN_TABLES)
    id = register(owner, "public")
    migrate.upgrade(owner)
    assert tables(owner, "public") == {"conversations", "batch_jobs", "batch_items"}
    assert add_to(owner, [id], new=True).number == 1
    owner.dispose()


def test_an_applications_training_files_are_never_taken_for_ours(project: Engine):
    owner = engine_of(project, "owner")
    execute(owner, SOURCES_OF_AN_APPLICATION + ";" + OWN_TABLES)
    execute(
        owner,
        "ALTER TABLE training_files RENAME TO kept;" + TRAINING_FILES_OF_AN_APPLICATION,
    )
    before = tables(owner, "public")
    with pytest.raises(NotReady, match=r"lacks tables: public\.training_files\. Nothing"):
        migrate.upgrade(owner)
    assert (tables(owner, "public"), tables(owner, "trainfold")) == (before, set())

    execute(
        owner,
        "DROP TABLE training_file_conversations, training_file_versions, kept;"
        "CREATE TABLE training_file_conversations (training_file_id uuid, conversation_id uuid)",
    )
    migrate.upgrade(owner)
    migrate.check_for_drift(owner)
    assert tables(owner, "public") >= {"training_files", "training_file_conversations"}
    owner.dispose()


def test_only_their_owner_can_move_the_tables(project: Engine):
    owner, reader = engine_of(project, "owner"), engine_of(project, "reader")
    execute(owner, SOURCE_TABLES + ";" + OWN_TABLES)
    execute(project, "CREATE SCHEMA trainfold AUTHORIZATION reader")
    with pytest.raises(AccessRefused, match=r"belong to owner.*as that user once"):
        migrate.upgrade(reader)
    assert tables(owner, "trainfold") == set()
    owner.dispose()
    reader.dispose()


def test_a_schema_without_its_tables_asks_for_the_migration_that_moves_them(project: Engine):
    execute(project, SOURCE_TABLES + ";" + OWN_TABLES)
    with pytest.raises(NotReady, match="trainfold migrate"):
        migrate.require_current(project)
