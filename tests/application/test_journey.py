"""The way from nothing to a rebuilt file beside the application: through its pooler, as a role
that owns nothing of it, in buckets that it uses too.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4, uuid5

import psycopg
import pytest

from operations import resources
from operations.sweep import sweep_store
from storage.store import ObjectStore
from tests.application.conftest import (
    OWNER,
    RIGHTS,
    USER,
    Application,
    Conversation,
    NewApplication,
)
from tests.commands import Run, run
from tests.console.conftest import Visit, served

pytestmark = pytest.mark.thorough

FIRST, SECOND, THIRD = "Spring clients", "Summer clients", "Leftovers"
OWN_TABLES = "training_files, training_file_versions, training_file_conversations, schema_version"


@pytest.fixture(scope="module")
def environment(
    prefect_server: str, new_project: NewApplication, conversations: list[Conversation]
) -> Iterator[Application]:
    """The application with its conversations, and trainfold configured to work beside it."""
    project = new_project()
    project.create_tables()
    project.insert(conversations)
    project.run_sql("ALTER SCHEMA public OWNER TO postgres_app", role="superuser")
    project.run_sql(f"GRANT CREATE ON DATABASE {project.database} TO {OWNER}", role="superuser")
    project.run_sql(RIGHTS, role="superuser")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINFOLD_DATABASE_URL", project.url())
        for kind in ("conversations", "training_files"):
            bucket = f"{kind}-of-{project.database}".replace("_", "-")
            patch.setenv(f"TRAINFOLD_{kind.upper()}_BUCKET", bucket)
        resources.forget()
        resources.training_files_store().create_bucket()
        store = resources.conversations_store()
        store.create_bucket()
        for one in conversations:
            store.put(one.path, one.data, content_type="application/json")
        yield project
    resources.forget()


@pytest.fixture(scope="module")
def trainfold(environment: Application) -> Run:
    migrated = run("migrate")
    assert migrated.code == 0, migrated.err
    return run


@pytest.fixture(scope="module")
def talks(trainfold: Run) -> str:
    """A training file with the first batch, then the second one, too."""
    for batch, new in ((FIRST, ["--new"]), (SECOND, [])):
        checked = trainfold("check", "Talks", "--batch", batch, *new, "--json")
        assert (checked.code, checked.json["blocked"]) == (0, [])
        added = trainfold("add", "Talks", "--batch", batch, *new, "--json")
        assert added.code == 0, added.err
    return "Talks"


def test_two_batches_become_two_versions_that_verify(trainfold: Run, talks: str) -> None:
    versions = trainfold("versions", talks, "--json").json
    assert sorted(version["conversations"] for version in versions) == [18, 54]
    for number in ("1", "2"):
        assert trainfold("verify", talks, "--version", number).code == 0


def test_a_conversation_that_is_in_the_file_blocks(trainfold: Run, talks: str) -> None:
    again = trainfold("check", talks, "--batch", FIRST, "--json")
    assert again.code == 3
    assert {reason["code"] for reason in again.json["blocked"]} == {"already-member"}


def test_a_batch_keeps_the_order_that_the_application_gave_it(
    trainfold: Run, talks: str, conversations: list[Conversation], environment: Application
) -> None:
    with environment.connect("trainfold") as connection:
        rows = connection.execute(
            "SELECT conversation_id FROM trainfold.training_file_conversations m"
            " JOIN trainfold.training_files f ON f.id = m.training_file_id"
            " WHERE f.name = 'Talks' ORDER BY position"
        ).fetchall()
    expected = [one.id for batch in (FIRST, SECOND) for one in conversations if one.batch == batch]
    assert [row[0] for row in rows] == expected


def test_a_rebuild_finds_nothing_to_change_and_then_what_changed(
    trainfold: Run, talks: str, conversations: list[Conversation]
) -> None:
    same = trainfold("rebuild", talks, "--json")
    assert same.code == 0, same.err
    assert len(trainfold("versions", talks, "--json").json) == 2
    first = conversations[0]
    store = resources.conversations_store()
    context = re.compile(rb'("session_context":\s*")')
    changed = context.sub(rb"\1Once more: ", first.data)
    store.put(first.path, changed, content_type="application/json")
    rebuilt = trainfold("rebuild", talks, "--json")
    assert rebuilt.code == 0, rebuilt.err
    assert len(trainfold("versions", talks, "--json").json) == 3
    store.put(first.path, first.data, content_type="application/json")
    assert trainfold("verify", talks).code == 0


def test_maintenance_leaves_the_applications_own_training_files(
    trainfold: Run, talks: str, environment: Application
) -> None:
    store = resources.training_files_store()
    theirs = [f"{uuid4()}/training.{format}" for format in ("json", "jsonl")]
    for key in theirs:
        store.put(key, b"{}", content_type="application/json")
    swept = sweep_store(resources.engine(), store, safe_age=timedelta(0), delete=True)
    assert not set(theirs) & set(swept.objects)
    assert set(theirs) <= keys(store)
    assert trainfold("maintain", "--delete").code == 0
    assert trainfold("verify", talks).code == 0


def keys(store: ObjectStore) -> set[str]:
    return {item.key for item in store.listed()}


def test_six_adds_at_once_lose_nothing(trainfold: Run, conversations: list[Conversation]) -> None:
    one, *others = [one.id for one in conversations if one.batch == SECOND][:7]
    assert trainfold("add", "Together", one, "--new").code == 0

    def add(number: int) -> int:
        return run("add", "Together", others[number], "--request-id", f"at-once-{number}").code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(add, range(6))) == [0] * 6
    versions = trainfold("versions", "Together", "--json").json
    assert sorted(version["conversations"] for version in versions) == [1, 2, 3, 4, 5, 6, 7]
    assert trainfold("verify", "Together").code == 0


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_the_world_reads_nothing_of_ours(
    trainfold: Run, talks: str, environment: Application, role: str
) -> None:
    with environment.connect(OWNER) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'S', 'v')"
                " AND relnamespace = 'trainfold'::regnamespace"
            ).fetchall()
        ]
        assert len(tables) >= 5
        connection.execute(f"SET ROLE {role}")  # type: ignore[arg-type] # one of two words
        for table in tables:
            for statement in (f"SELECT * FROM trainfold.{table}", f"TRUNCATE trainfold.{table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)  # type: ignore[arg-type]


def test_the_application_is_untouched(
    trainfold: Run, talks: str, environment: Application, conversations: list[Conversation]
) -> None:
    with environment.connect(OWNER) as connection:
        tables = {
            name
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
        }
        (rows,) = connection.execute("SELECT count(*) FROM public.conversations").fetchone() or (0,)
        indexes = connection.execute(
            "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'ix_%'"
        ).fetchone()
    assert "training_file_versions" not in tables
    assert (rows, indexes) == (len(conversations), (0,))


def test_the_console_filters_by_batch_persona_arc_and_topic(
    trainfold: Run, conversations: list[Conversation]
) -> None:
    first = next(one for one in conversations if one.batch == THIRD)
    expected = {
        f"batch={uuid5(USER, THIRD)}": [one for one in conversations if one.batch == THIRD],
        f"persona={first.persona_key}": [
            one for one in conversations if one.persona_key == first.persona_key
        ],
        f"arc={first.arc_key}": [one for one in conversations if one.arc_key == first.arc_key],
        f"topic={first.topic_key}": [
            one for one in conversations if one.topic_key == first.topic_key
        ],
        f"text={first.topic_key.replace('_', ' ')}": [
            one for one in conversations if one.topic_key == first.topic_key
        ],
    }
    with served() as address:
        visit = Visit(address).entered()
        for query, matching in expected.items():
            page = visit.page(f"/conversations?{query}&size=100")
            listed = set(page.fields.get("picked", []))
            assert listed == {str(one.id) for one in matching}, query
