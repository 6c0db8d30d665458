import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from db import migrate
from db.engine import make_engine
from domain.errors import NotReady
from operations import resources

ROOT = Path(__file__).parents[2]
OWN = {"training_files", "training_file_versions", "training_file_conversations"}


@pytest.fixture
def empty_database(stack):
    """The engine of a database without tables."""
    url = resources.settings().require_database_url()
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS empty WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE empty"))
    engine = make_engine(url.rsplit("/", 1)[0] + "/empty")
    yield engine
    engine.dispose()


def test_the_migrated_schema_is_the_models(empty_database):
    migrate.upgrade(empty_database)
    migrate.check_for_drift(empty_database)


def test_migrating_twice_changes_nothing(empty_database):
    migrate.upgrade(empty_database)
    migrate.upgrade(empty_database)
    migrate.require_current(empty_database)


def test_three_operators_migrating_at_once_make_one_schema(empty_database):
    address = empty_database.url.render_as_string(hide_password=False)
    command = [Path(sys.executable).with_name("trainfold"), "migrate"]
    environment = os.environ | {"TRAINFOLD_DATABASE_URL": address}
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    migrate.check_for_drift(empty_database)


def test_a_database_without_the_schema_is_named_with_the_way_out(empty_database):
    with pytest.raises(NotReady, match="trainfold migrate"):
        migrate.require_current(empty_database)


def test_every_table_of_ours_is_closed_to_a_public_data_api(empty_database):
    migrate.upgrade(empty_database)
    with empty_database.connect() as connection:
        query = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r'")
        closed = set(connection.execute(query).scalars())
        policies = connection.execute(text("SELECT count(*) FROM pg_policies")).scalar()
    assert closed >= OWN | {"trainfold_schema_version"}
    assert policies == 0


def test_the_tables_of_an_application_are_left_alone(empty_database):
    with empty_database.begin() as connection:
        connection.execute(
            text("""
                CREATE TABLE conversations (
                    id bigserial PRIMARY KEY, conversation_id uuid UNIQUE, title varchar(9),
                    enrichment_status varchar(40), enriched_file_path text, persona_key text,
                    emotional_arc_key text, topic_key text, scaffolding_snapshot jsonb,
                    quality_score numeric, tier text, status text, created_by uuid,
                    created_at timestamptz);
                CREATE TABLE batch_jobs (id uuid PRIMARY KEY, name text);
                CREATE TABLE batch_items (batch_job_id uuid, conversation_id uuid);
            """)
        )
    before = columns(empty_database)
    migrate.upgrade(empty_database)
    migrate.check_for_drift(empty_database)
    after = columns(empty_database)
    assert {table: after[table] for table in before} == before
    assert set(after) == set(before) | OWN | {"trainfold_schema_version"}


def columns(engine):
    inspector = inspect(engine)
    return {
        table: [column["name"] for column in inspector.get_columns(table)]
        for table in inspector.get_table_names()
    }
