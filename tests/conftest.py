"""Real services for tests: one PostgreSQL, one S3 and one Prefect server a session.

They run in a home of their own, on loopback, on free ports, and are stopped at the end.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

# Nothing of the machine's own configuration reaches the tests; Prefect reads its own at import.
# The tests' own variables stay: pytest-xdist starts its processes with this environment.
SHARED = os.environ.get("TRAINFOLD_SHARED")
OWN = {"TRAINFOLD_SHARED", "TRAINFOLD_GOLDEN"}
for name in [name for name in os.environ if name.startswith(("TRAINFOLD_", "PREFECT_"))]:
    if name not in OWN:
        del os.environ[name]
# Not pytest's own folder: as root, PostgreSQL runs as a user that may not enter that.
HOME = Path(tempfile.mkdtemp(prefix="trainfold-test-"))
HOME.chmod(0o711)
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ["TRAINFOLD_HOME"] = str(HOME)
os.environ["PREFECT_HOME"] = str(HOME / "prefect")
os.environ["PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW"] = "ignore"

import pytest
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from sqlalchemy import Engine, text

from db import migrate
from domain.versions.naming import INSTALLATION_KEY
from operations import resources
from operations.binding import require_bound
from operations.settings import home_directory
from soak.building import as_bytes, conversation
from storage.store import ObjectStore
from tests.rest import api
from trainfold.prefect_http.registration import register
from trainfold.stack import Service, Stack, prefect_environment


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL and S3, migrated, with both buckets."""
    stack = Stack(HOME)
    try:
        stack.up([Service.POSTGRES, Service.S3], say=print)
        resources.forget()
        migrate.upgrade(resources.engine())
        resources.conversations_store().create_bucket()
        resources.training_files_store().create_bucket()
        require_bound(resources.engine(), resources.training_files_store())
        yield stack
    finally:
        stack.down(say=print)


@pytest.fixture(scope="session")
def prefect_server(stack: Stack) -> Iterator[str]:
    """The session's Prefect server; its API address."""
    stack.up([Service.PREFECT], say=print)
    resources.forget()
    settings = resources.settings()
    url, auth = settings.prefect_api_url or "", settings.prefect_auth.get_secret_value()
    os.environ |= prefect_environment(home_directory(), url, auth=auth)
    with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: auth}):
        yield url
        APILogHandler().flush()


@pytest.fixture(scope="session")
def deployments(prefect_server: str) -> str:
    """A Prefect server with the shipped deployments, and no worker; its API address."""
    register(api(prefect_server), environment={}, scheduled_rebuild=False)
    return prefect_server


@pytest.fixture(scope="module")
def worker(stack: Stack, prefect_server: str) -> Iterator[str]:
    """A Prefect server with the shipped deployments and a worker; its API address."""
    stack.up([Service.WORKER], say=print)
    yield prefect_server
    stack.down([Service.WORKER], say=print)


def emptied_database() -> Engine:
    """Remove all rows of the session's database and return its engine."""
    tables = ", ".join(
        f"trainfold.{table}"
        for table in (
            "add_plans",
            "api_tokens",
            "training_file_tags",
            "conversation_figures",
            "conversation_likenesses",
            "training_file_sides",
            "training_file_log",
            "released_versions",
            "training_file_conversations",
            "training_file_versions",
            "training_files",
            "batch_items",
            "batch_jobs",
            "conversations",
        )
    )
    engine = resources.engine()
    log = "ALTER TABLE trainfold.training_file_log {} TRIGGER append_only"
    with engine.begin() as connection:
        connection.execute(text(log.format("DISABLE")))
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        connection.execute(text(log.format("ENABLE")))
    return engine


def emptied_bucket() -> ObjectStore:
    """Remove everything from the bucket of training files but the marker that binds it."""
    store = resources.training_files_store()
    for item in list(store.listed()):
        if item.key != INSTALLATION_KEY:
            store.delete(item.key)
    for upload in list(store.uploads()):
        store.abort(upload)
    return store


@pytest.fixture
def engine(stack: Stack) -> Engine:
    """A migrated database without rows."""
    return emptied_database()


@pytest.fixture
def training_files(stack: Stack) -> ObjectStore:
    return resources.training_files_store()


class Library:
    """Conversations in the database and the store, as an application would leave them."""

    def __init__(self, engine: Engine, store: ObjectStore) -> None:
        self.engine = engine
        self.store = store
        self.files: dict[UUID, bytes] = {}

    def add(
        self, conversation_id: UUID | None = None, *, data: bytes | None = None, **row: Any
    ) -> UUID:
        """Register a conversation; `row` overrides columns, `data` its file."""
        conversation_id = conversation_id or uuid4()
        content = as_bytes(conversation(conversation_id)) if data is None else data
        self.files[conversation_id] = content
        values = {
            "conversation_id": conversation_id,
            "enrichment_status": "completed",
            "enriched_file_path": f"tests/{conversation_id}.json",
        } | row
        if values["enriched_file_path"] == f"tests/{conversation_id}.json":
            self.store.put(values["enriched_file_path"], content, content_type="application/json")
        columns, holders = ", ".join(values), ", ".join(f":{name}" for name in values)
        with self.engine.begin() as connection:
            connection.execute(
                text(f"INSERT INTO trainfold.conversations ({columns}) VALUES ({holders})"), values
            )
        return conversation_id

    def add_many(self, count: int) -> list[UUID]:
        return [self.add() for _ in range(count)]

    def batch(self, *ids: UUID, name: str = "a batch") -> UUID:
        """Put conversations into a new batch."""
        batch_id = uuid4()
        with self.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO trainfold.batch_jobs (id, name) VALUES (:id, :name)"),
                {"id": batch_id, "name": name},
            )
            for id in ids:
                connection.execute(
                    text(
                        "INSERT INTO trainfold.batch_items (batch_job_id, conversation_id) "
                        "VALUES (:batch, :id)"
                    ),
                    {"batch": batch_id, "id": id},
                )
        return batch_id


@pytest.fixture
def library(engine: Engine) -> Library:
    return Library(engine, resources.conversations_store())


def reference_material() -> Path | None:
    """Return where the team's reference material is, for those who have it."""
    place = Path(SHARED or Path(__file__).parents[2] / "shared")
    return place if (place / "corpus").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The team's reference material (schemas, real conversations), for those who have it."""
    place = reference_material()
    if place is None:
        pytest.skip("the reference material is not there (../shared, or set TRAINFOLD_SHARED)")
    return place
