"""The application that trainfold's first users run, rebuilt: its database, its pooler, its roles.

It is made from the reference material where that is at hand, otherwise from this folder's files,
which have the same pitfalls: batch items refer to the key of a conversation's row, words stand in
the snapshot alone, `public` has tables with trainfold's names, row level security hides all rows.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import psycopg
import pytest
from psycopg.types.json import Jsonb

from soak.building import as_bytes, conversation
from tests.application.services import Cluster, programs
from tests.conftest import reference_material

OWNER = "postgres_app"
TRAINFOLD = "trainfold"
"""A dedicated role: no superuser, owner of nothing in `public`, without BYPASSRLS."""
USER = uuid4()
"""The application's user who made all conversations; their files lie under this id."""

BATCHES = {"Spring clients": 18, "Summer clients": 36, "Leftovers": 4}
RIGHTS = """
    CREATE SCHEMA trainfold AUTHORIZATION trainfold;
    GRANT USAGE ON SCHEMA public TO trainfold;
    GRANT SELECT ON public.conversations, public.batch_jobs, public.batch_items TO trainfold;
    CREATE POLICY trainfold_reads ON public.conversations FOR SELECT TO trainfold USING (true);
    CREATE POLICY trainfold_reads ON public.batch_jobs FOR SELECT TO trainfold USING (true);
    CREATE POLICY trainfold_reads ON public.batch_items FOR SELECT TO trainfold USING (true);
"""


@dataclass(frozen=True)
class Conversation:
    """What the application knows of a conversation, and its enriched file."""

    id: UUID
    batch: str
    persona_key: str
    arc_key: str
    topic_key: str
    names: dict[str, str]
    data: bytes

    @property
    def path(self) -> str:
        return f"{USER}/{self.id}/enriched.json"

    @property
    def snapshot(self) -> dict[str, Any]:
        return {
            "persona": {"persona_key": self.persona_key, "name": self.names["persona"]},
            "emotional_arc": {"arc_key": self.arc_key, "name": self.names["arc"]},
            "training_topic": {"topic_key": self.topic_key, "name": self.names["topic"]},
            "scaffolding_version": "v1",
        }


@dataclass(frozen=True)
class Application:
    """A database of the application, and who can connect to it."""

    cluster: Cluster
    database: str
    schema_file: Path

    def url(self, role: str = TRAINFOLD, *, pooled: bool = True) -> str:
        return self.cluster.url(role, self.database, pooled=pooled)

    def connect(self, role: str = OWNER) -> psycopg.Connection[Any]:
        """Connect directly, as the application's owner or as another role."""
        return psycopg.connect(self.url(role, pooled=False), autocommit=True)

    def run_sql(self, sql: str, role: str = OWNER) -> None:
        self.cluster.run_sql(sql, database=self.database, role=role)

    def create_tables(self) -> None:
        """Create the application's own tables, as its owner."""
        self.run_sql(self.schema_file.read_text())

    def insert(self, conversations: list[Conversation]) -> None:
        """Insert rows as the application does: words in the snapshot alone."""
        with self.connect() as connection, connection.transaction():
            for name in dict.fromkeys(one.batch for one in conversations):
                job = uuid5(USER, name)
                connection.execute(
                    "INSERT INTO public.batch_jobs (id, job_type, name, status, created_by) "
                    "VALUES (%s, 'generation', %s, 'completed', NULL)",
                    (job, name),
                )
                members = [one for one in conversations if one.batch == name]
                for position, one in enumerate(members):
                    self._insert_one(connection, one, job, position)

    def _insert_one(
        self, connection: psycopg.Connection[Any], one: Conversation, job: UUID, position: int
    ) -> None:
        key = uuid4()
        connection.execute(
            "INSERT INTO public.conversations (id, conversation_id, conversation_name, turn_count,"
            " created_by, scaffolding_snapshot, enrichment_status, enriched_file_path)"
            " VALUES (%s, %s, %s, 4, %s, %s, 'completed', %s)",
            (key, one.id, one.names["topic"], USER, Jsonb(one.snapshot), one.path),
        )
        connection.execute(
            "INSERT INTO public.batch_items"
            " (batch_job_id, position, topic, tier, status, conversation_id)"
            " VALUES (%s, %s, %s, 'template', 'completed', %s)",
            (job, position, one.names["topic"], key),
        )


@pytest.fixture(scope="session")
def sources() -> tuple[Path, Path, Path | None]:
    """The files with roles and tables, and the folder of real conversations if it is there."""
    own = Path(__file__).parent
    reference = reference_material()
    if reference and (reference / "application/schema.sql").is_file():
        application = reference / "application"
        return application / "roles.sql", application / "schema.sql", reference / "corpus"
    return own / "roles.sql", own / "schema.sql", None


@pytest.fixture(scope="session")
def cluster(sources: tuple[Path, Path, Path | None]) -> Iterator[Cluster]:
    """Debian's PostgreSQL with the application's roles, and PgBouncer in front of it."""
    folder = programs()
    if folder is None:
        pytest.skip("Debian's packages postgresql and pgbouncer, and openssl, are needed")
    home = Path(tempfile.mkdtemp(prefix="trainfold-application-"))
    # PostgreSQL runs as an ordinary user, who must be able to enter.
    home.chmod(0o711)
    cluster = Cluster(home / "cluster", folder)
    try:
        cluster.start()
        cluster.run_sql("CREATE DATABASE template_of_project")
        cluster.run_sql(sources[0].read_text(), database="template_of_project")
        cluster.run_sql("CREATE ROLE trainfold LOGIN PASSWORD 'p@ss#word/with?signs'")
        cluster.passwords |= {OWNER: "owner", TRAINFOLD: "p@ss#word/with?signs"}
        cluster.start_pooler()
        yield cluster
    finally:
        cluster.stop()
        home.rmdir()


NewApplication = Callable[[], Application]


@pytest.fixture(scope="session")
def new_project(cluster: Cluster, sources: tuple[Path, Path, Path | None]) -> NewApplication:
    """Make a database with the project's roles and default privileges, and without tables."""
    numbers = count(1)

    def make() -> Application:
        name = f"project_{next(numbers)}"
        cluster.run_sql(f"CREATE DATABASE {name} TEMPLATE template_of_project")
        return Application(cluster, name, sources[1])

    return make


@pytest.fixture(scope="session")
def conversations(sources: tuple[Path, Path, Path | None]) -> list[Conversation]:
    """58 conversations in three batches: real ones where they are at hand."""
    corpus = sources[2]
    return _real_ones(corpus) if corpus else _made_ones()


def _real_ones(corpus: Path) -> list[Conversation]:
    rows = [json.loads(line) for line in (corpus / "conversations.jsonl").read_text().splitlines()]
    jobs = dict.fromkeys(row["batch_job_id"] for row in rows)
    batches = dict(zip(jobs, BATCHES, strict=True))
    return [
        Conversation(
            id=UUID(row["conversation_id"]),
            batch=batches[row["batch_job_id"]],
            persona_key=row["persona_key"],
            arc_key=row["emotional_arc_key"],
            topic_key=row["topic_key"],
            names={
                "persona": row["persona_name"],
                "arc": row["emotional_arc"],
                "topic": row["training_topic"],
            },
            data=(corpus / row["enriched_file_path"]).read_bytes(),
        )
        for row in rows
    ]


def _made_ones() -> list[Conversation]:
    return [
        Conversation(
            id=id,
            batch=batch,
            persona_key="anxious_planner",
            arc_key="fear_to_confidence",
            topic_key="first_budget",
            names={"persona": "Ines Duarte", "arc": "Fear → Confidence", "topic": "First Budget"},
            data=as_bytes(conversation(id)),
        )
        for batch, size in BATCHES.items()
        for id in (uuid4() for _ in range(size))
    ]
