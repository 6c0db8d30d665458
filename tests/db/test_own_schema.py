"""Trainfold's schema belongs to trainfold alone, whatever rights an application gives away."""

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from db import migrate
from db.engine import reading
from db.own_schema import statements_to_close
from domain.errors import AccessRefused
from tests.db.conftest import engine_of, execute

TABLES = [
    "add_plans",
    "api_tokens",
    "conversation_figures",
    "conversation_likenesses",
    "conversations",
    "batch_jobs",
    "batch_items",
    "installation",
    "trainfold_schema_version",
    "released_versions",
    "training_files",
    "training_file_log",
    "training_file_versions",
    "training_file_conversations",
    "training_file_tags",
    "training_file_sides",
    "version_exports",
]


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_nobody_else_may_read_or_empty_a_table(project: Engine, role: str):
    owner = engine_of(project, "owner")
    migrate.upgrade(owner)
    # Even where somebody lets everybody into the schema.
    execute(owner, "GRANT USAGE ON SCHEMA trainfold TO PUBLIC")
    for table in TABLES:
        for statement in (f"SELECT FROM trainfold.{table}", f"TRUNCATE trainfold.{table} CASCADE"):
            with pytest.raises(ProgrammingError) as caught:
                execute(owner, f"SET LOCAL ROLE {role}; {statement}")
            assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)
    owner.dispose()


def test_every_migration_closes_what_was_opened_meanwhile(project: Engine):
    owner = engine_of(project, "owner")
    migrate.upgrade(owner)
    with reading(owner) as connection:
        assert statements_to_close(connection) == []
    execute(
        owner,
        """
        GRANT USAGE ON SCHEMA trainfold TO anon, PUBLIC;
        GRANT ALL ON ALL TABLES IN SCHEMA trainfold TO authenticated;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA trainfold TO PUBLIC;
        GRANT SELECT (name) ON trainfold.training_files TO anon;
        CREATE TABLE trainfold.later (id int);
        ALTER TABLE trainfold.training_files DISABLE ROW LEVEL SECURITY
        """,
    )
    with reading(owner) as connection:
        opened = statements_to_close(connection)
    assert "REVOKE ALL ON SCHEMA trainfold FROM PUBLIC" in opened
    assert "REVOKE ALL ON SEQUENCE trainfold.batch_items_id_seq FROM PUBLIC" in opened
    assert "REVOKE ALL ON TABLE trainfold.training_files FROM anon" in opened
    assert "ALTER TABLE trainfold.training_files ENABLE ROW LEVEL SECURITY" in opened
    migrate.upgrade(owner)
    with reading(owner) as connection:
        assert statements_to_close(connection) == []
        policies = connection.execute(text("SELECT count(*) FROM pg_policies")).scalar()
        closed = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r'")
        assert set(connection.execute(closed).scalars()) == {*TABLES, "later"}
    assert policies == 0
    owner.dispose()


def test_a_database_without_an_applications_roles_is_closed_too(empty_database: Engine):
    migrate.upgrade(empty_database)
    with reading(empty_database) as connection:
        assert statements_to_close(connection) == []


def test_a_dedicated_role_needs_a_schema_of_its_own_and_nothing_in_public(project: Engine):
    execute(project, "CREATE SCHEMA trainfold AUTHORIZATION reader")
    reader = engine_of(project, "reader")
    migrate.upgrade(reader)
    migrate.require_current(reader)
    reader.dispose()


def test_a_missing_right_is_named_with_the_statement_that_gives_it(project: Engine):
    reader = engine_of(project, "reader")
    needed = "CREATE SCHEMA trainfold AUTHORIZATION reader;"
    with pytest.raises(AccessRefused, match=needed):
        migrate.upgrade(reader)
    execute(project, "CREATE SCHEMA trainfold AUTHORIZATION owner")
    with pytest.raises(AccessRefused) as caught:
        migrate.upgrade(reader)
    grant = "GRANT USAGE, CREATE ON SCHEMA trainfold TO reader;"
    assert grant in str(caught.value)
    execute(project, grant)
    migrate.upgrade(reader)
    reader.dispose()
