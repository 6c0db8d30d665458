"""Each fault of the application's database is made on a rebuilt one, and is the only finding."""

from collections.abc import Iterator

import pytest

from db import migrate
from db.engine import make_engine
from domain.diagnosis import Check
from domain.errors import NotReady
from operations.doctor.database import check_database, require_database, require_migratable
from tests.application.conftest import OWNER, TRAINFOLD, Application, Conversation, NewApplication
from tests.application.services import SUPERUSER
from tests.commands import run
from tests.doctor.checks import findings, text_of
from trainfold.stack import Stack
from trainfold.stack.loopback import choose_ports


@pytest.fixture(scope="module")
def project(new_project: NewApplication, conversations: list[Conversation]) -> Application:
    """The application with its rows, and a role of trainfold's that has no rights at all."""
    project = new_project()
    project.create_tables()
    project.insert(conversations)
    # A hosted project's owner owns the database.
    project.run_sql(f"GRANT CREATE ON DATABASE {project.database} TO {OWNER}", SUPERUSER)
    return project


def checked(project: Application, url: str | None = None, **options: str) -> list[Check]:
    engine = make_engine(url or project.url(), **options)
    try:
        return check_database(lambda: engine)
    finally:
        engine.dispose()


def missing_sql(checks: list[Check]) -> str:
    return "\n".join(sql for check in checks for sql in check.sql)


def migrated(project: Application) -> None:
    engine = make_engine(project.url())
    migrate.upgrade(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def sound(project: Application) -> Application:
    """The application after `--fix-sql` was run by its owner, and `migrate` by trainfold's role."""
    project.run_sql(missing_sql(checked(project)))
    migrated(project)
    return project


def test_what_fix_sql_prints_makes_the_doctor_green(
    new_project: NewApplication,
    conversations: list[Conversation],
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
):
    project = new_project()
    project.create_tables()
    project.insert(conversations)
    project.run_sql(f"GRANT CREATE ON DATABASE {project.database} TO {OWNER}", SUPERUSER)
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", project.url())
    monkeypatch.setenv("TRAINFOLD_TRAINING_FILES_BUCKET", project.database.replace("_", "-"))
    before = run("doctor", "--fix-sql")
    assert "GRANT SELECT ON TABLE public.conversations TO trainfold;" in before.out
    project.run_sql(before.out)
    assert run("migrate").code == 0
    after = run("doctor", "--fix-sql")
    assert after.out == "-- No statement is missing.\n"
    ran = run("doctor", "--json")
    # Prefect is the local stack's, of which nothing runs here.
    asked = [c for c in ran.json["checks"] if c["check"].startswith(("database.", "store."))]
    assert len(asked) > 20
    assert [check for check in asked if check["state"] != "ok"] == []
    listed = run("conversations", "--json", "--limit", "100")
    assert len(listed.json) == len(conversations)


def test_a_sound_application_has_no_finding(sound: Application):
    checks = checked(sound)
    assert findings(checks) == []
    assert "a pooler in transaction mode" in text_of(checks, "database.pooler")
    assert "refer to conversations.id" in text_of(checks, "database.source-tables")
    direct = checked(sound, sound.url(pooled=False))
    assert "no sign of a pooler" in text_of(direct, "database.pooler")


def test_the_owner_of_everything_has_no_finding_either(sound: Application):
    assert findings(checked(sound, sound.url(SUPERUSER, pooled=False))) == []


@pytest.mark.parametrize(
    ("breaking", "mending", "expected"),
    [
        (
            "REVOKE SELECT ON public.batch_jobs FROM trainfold",
            None,
            ["grant-missing"],
        ),
        (
            "DROP POLICY trainfold_reads ON public.conversations",
            None,
            ["rows-hidden"],
        ),
        (
            "ALTER POLICY trainfold_reads ON public.conversations USING (turn_count > 0)",
            "ALTER POLICY trainfold_reads ON public.conversations USING (true)",
            ["rows-restricted"],
        ),
        (
            "DROP INDEX public.trainfold_batch_items_conversation_id",
            None,
            ["index-missing"],
        ),
        (
            "ALTER TABLE public.conversations RENAME enriched_file_path TO path",
            "ALTER TABLE public.conversations RENAME path TO enriched_file_path",
            ["source-column-missing"],
        ),
        (
            "ALTER TABLE public.conversations ALTER created_at DROP DEFAULT,"
            " ALTER created_at TYPE text",
            "ALTER TABLE public.conversations ALTER created_at TYPE timestamptz"
            " USING created_at::timestamptz",
            ["source-column-type"],
        ),
        (
            "ALTER TABLE public.batch_jobs RENAME TO jobs",
            "ALTER TABLE public.jobs RENAME TO batch_jobs",
            ["source-table-missing"],
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_fault_of_the_source_tables_is_the_only_finding(
    sound: Application, breaking: str, mending: str | None, expected: list[str]
):
    sound.run_sql(breaking)
    try:
        checks = checked(sound)
        assert findings(checks) == expected
    finally:
        sound.run_sql(mending or missing_sql(checks))
    assert findings(checked(sound)) == []


def test_rights_of_others_on_our_tables_are_named_and_closed(sound: Application):
    sound.run_sql("GRANT TRUNCATE ON trainfold.training_files TO anon", TRAINFOLD)
    checks = checked(sound)
    assert findings(checks) == ["open-to-others"]
    sound.run_sql(missing_sql(checks), TRAINFOLD)
    assert findings(checked(sound)) == []


@pytest.fixture
def runner(sound: Application) -> Iterator[str]:
    """A role that may read the source tables, and did not run the migration; its address."""
    sound.run_sql("CREATE ROLE runner LOGIN PASSWORD 'runner'", SUPERUSER)
    sound.run_sql("GRANT USAGE ON SCHEMA trainfold TO runner")
    sound.cluster.passwords["runner"] = "runner"
    for table in ("conversations", "batch_jobs", "batch_items"):
        sound.run_sql(
            f"GRANT SELECT ON public.{table} TO runner;"
            f"CREATE POLICY runner_reads ON public.{table} FOR SELECT TO runner USING (true)"
        )
    yield sound.url("runner", pooled=False)
    sound.run_sql("DROP OWNED BY runner; DROP ROLE runner", SUPERUSER)


def test_a_role_that_did_not_migrate_is_told_what_it_lacks(sound: Application, runner: str):
    checks = checked(sound, runner)
    assert findings(checks) == ["own-tables-closed"]
    sound.run_sql(missing_sql(checks), TRAINFOLD)
    assert findings(checked(sound, runner)) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"schema": "elsewhere"}, "schema-closed"),
        ({"schema": "public"}, "name-clash"),
        ({"source_schema": "extensions"}, "source-table-missing"),
    ],
)
def test_a_schema_that_is_not_the_right_one_is_named(
    sound: Application, options: dict[str, str], expected: str
):
    assert findings(checked(sound, **options)) == [expected]


def test_a_schema_that_the_role_may_not_use_is_named(new_project: NewApplication):
    project = new_project()
    project.run_sql("CREATE SCHEMA trainfold", SUPERUSER)
    checks = checked(project)
    assert findings(checks) == ["schema-closed"]
    project.run_sql(missing_sql(checks), SUPERUSER)
    assert findings(checked(project)) == ["schema-not-current"]


def test_a_database_that_was_not_migrated_is_named(new_project: NewApplication):
    project = new_project()
    project.run_sql("CREATE SCHEMA trainfold AUTHORIZATION trainfold", SUPERUSER)
    checks = checked(project)
    assert findings(checks) == ["schema-not-current"]
    assert "Run `trainfold migrate`" in text_of(checks, "database.schema")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("sslmode=require", "sslmode=require&ssl_mod=x"), "address-options-ignored"),
        (("signs", "signz"), "database-refused"),
        (("/project_", "/nowhere_"), "database-not-ready"),
        (("port", "port"), "database-unreachable"),
    ],
)
def test_an_address_that_does_not_lead_there_is_named(
    sound: Application, change: tuple[str, str], expected: str
):
    url = sound.url().replace(*change)
    if change == ("port", "port"):
        url = url.replace(str(sound.cluster.pooler_port), str(choose_ports([], count=1)[0]))
    assert findings(checked(sound, url)) == [expected]


def test_flows_and_migrations_refuse_in_the_words_of_the_doctor(sound: Application):
    sound.run_sql("REVOKE SELECT ON public.batch_jobs FROM trainfold")
    checks = checked(sound)
    engine = make_engine(sound.url())
    with pytest.raises(NotReady) as caught:
        require_database(engine)
    sound.run_sql(missing_sql(checks))
    assert str(caught.value) == text_of(checks, "database.grants")
    require_database(engine)
    require_migratable(engine)
    engine.dispose()
    closed = make_engine(sound.url(), schema="elsewhere")
    with pytest.raises(NotReady) as caught:
        require_migratable(closed)
    assert str(caught.value) == text_of(checked(sound, schema="elsewhere"), "database.schema")
    closed.dispose()


def test_an_unreadable_address_is_a_finding_without_a_piece_of_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", "postgresql://a:p@ss/word@host/db")
    ran = run("doctor", "--fix-sql")
    assert ran.code == 0
    assert ran.out.startswith("-- Not asked: TRAINFOLD_DATABASE_URL cannot be read")
    assert "ss/word" not in ran.out + ran.err
