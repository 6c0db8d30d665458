"""The application's tables are read as they are: by key or id, words in a snapshot, ids as text."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from db import migrate
from db.batches import conversation_ids_of, find_batch, list_batches
from db.conversation_list import conversation_rows, list_conversations
from db.conversation_search import Column, Filters, Order, find_page, reachable_ids
from db.engine import make_engine, reading
from db.schemas import source_tables
from db.search_terms import SearchTerms, conversations_stamp, read_known_keys, read_known_names
from db.training_files import members_page
from domain.errors import AccessRefused, Blocked, NotReady
from domain.source.limits import Limits
from operations import resources
from operations.add import add
from operations.admission import gate
from operations.importing import Importer
from soak.building import as_bytes, conversation
from tests.asking import request
from tests.db.conftest import engine_of, execute

BY_KEY = """
    CREATE TABLE conversations (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), conversation_id uuid NOT NULL UNIQUE,
        persona_key varchar(100), emotional_arc_key varchar(100), topic_key varchar(100),
        tier varchar(50) DEFAULT 'template', quality_score numeric(3,1), created_by uuid,
        created_at timestamptz DEFAULT now(), scaffolding_snapshot jsonb,
        enrichment_status varchar(50) DEFAULT 'not_started', enriched_file_path text);
    CREATE TABLE batch_jobs (
        id uuid PRIMARY KEY, job_type text NOT NULL DEFAULT 'generation', name text);
    CREATE TABLE batch_items (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        batch_job_id uuid NOT NULL REFERENCES batch_jobs (id), position integer NOT NULL,
        conversation_id uuid REFERENCES conversations (id) ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE training_files (id uuid PRIMARY KEY, name text NOT NULL UNIQUE)
"""
"""As the first users have it."""
BY_ID = BY_KEY.replace(
    "REFERENCES conversations (id)", "REFERENCES conversations (conversation_id)"
)
BY_KEY_WITHOUT_FOREIGN_KEY = BY_KEY.replace(
    "conversation_id uuid REFERENCES conversations (id) ON DELETE SET NULL", "conversation_id uuid"
)
KEYS_ARE_NUMBERS = (
    BY_KEY.replace("id uuid PRIMARY KEY DEFAULT gen_random_uuid(), conv", "id bigserial, conv")
    .replace("conversation_id uuid REFERENCES", "conversation_id bigint REFERENCES")
    .replace("conversation_id uuid NOT NULL UNIQUE", "conversation_id uuid UNIQUE, UNIQUE (id)")
)
IDS_ARE_TEXT = BY_KEY.replace("conversation_id uuid NOT NULL", "conversation_id varchar(100)")
ALL_IDS_ARE_TEXT = (
    IDS_ARE_TEXT.replace("batch_job_id uuid", "batch_job_id text")
    .replace("batch_jobs (\n        id uuid", "batch_jobs (\n        id text")
    .replace("conversation_id uuid REFERENCES conversations (id)", "conversation_id text")
    .replace(" ON DELETE SET NULL", "")
)
LEAN = """
    CREATE TYPE enrichment AS ENUM ('not_started', 'enriched', 'completed');
    CREATE TABLE conversations (
        conversation_id uuid PRIMARY KEY, enrichment_status enrichment, enriched_file_path text,
        quality_score double precision, scaffolding_snapshot json);
    CREATE TABLE batch_jobs (id uuid PRIMARY KEY, name text);
    CREATE TABLE batch_items (batch_job_id uuid, conversation_id uuid)
"""
"""Without times, positions, tiers and keys."""
SHAPES = {
    "items refer to the key": BY_KEY,
    "items refer to the id": BY_ID,
    "the key, without a foreign key": BY_KEY_WITHOUT_FOREIGN_KEY,
    "keys are numbers": KEYS_ARE_NUMBERS,
    "ids are text": IDS_ARE_TEXT,
    "all ids are text": ALL_IDS_ARE_TEXT,
    "few columns": LEAN,
}
COLUMNS: tuple[Column, ...] = ("title", "persona", "arc", "topic", "tier", "quality", "created")


class Application:
    """Tables of an application in `public`, filled as the application fills them."""

    def __init__(self, engine: Engine, tables: str) -> None:
        self.engine = engine
        execute(engine, tables)
        with reading(engine) as connection:
            self.columns = columns_of(connection, "conversations")
            self.item_columns = columns_of(connection, "batch_items")

    def insert(self, table: str, **values: Any) -> Any:
        """Insert those of the values that the table has columns for."""
        known = self.columns if table == "conversations" else self.item_columns
        row = values if table == "batch_jobs" else {k: v for k, v in values.items() if k in known}
        holders = ", ".join(f":{name}" for name in row)
        with self.engine.begin() as connection:
            return connection.execute(
                text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({holders}) RETURNING *"), row
            ).one()

    def add(self, number: int, **changes: Any) -> UUID:
        """Insert a finished conversation, whose words are in the snapshot alone."""
        id = UUID(int=number + (0xABCD << 112))
        path = f"tests/{id}.json"
        resources.conversations_store().put(
            path, as_bytes(conversation(id)), content_type="application/json"
        )
        snapshot = {
            "persona": {"persona_key": f"persona_{number}", "name": f"Person {number}"},
            "emotional_arc": {"arc_key": f"arc_{number}", "name": "An arc"},
            "training_topic": {"topic_key": f"topic_{number}", "name": f"Topic {number}"},
        }
        values = {
            "conversation_id": id if self.columns["conversation_id"] == "uuid" else str(id),
            "enrichment_status": "completed",
            "enriched_file_path": path,
            "scaffolding_snapshot": json.dumps(snapshot),
            "quality_score": number,
            "created_at": f"2026-01-{number:02}",
        }
        self.insert("conversations", **(values | changes))
        return id

    def batch(self, *ids: UUID, name: str = "a batch") -> UUID:
        """Insert a batch of these conversations; the rows of the items are in another order."""
        batch = uuid4()
        ids_are_text = self.item_columns["batch_job_id"] == "text"
        batch_id = str(batch) if ids_are_text else batch
        self.insert("batch_jobs", id=batch_id, name=name)
        with reading(self.engine) as connection:
            rows = connection.execute(text("SELECT * FROM conversations")).mappings().all()
        held = "conversation_id" if self.holds_ids else "id"
        keys = {UUID(str(row["conversation_id"])): row[held] for row in rows}
        for position in sorted(range(len(ids)), reverse="position" in self.item_columns):
            key = keys[ids[position]]
            self.insert(
                "batch_items",
                batch_job_id=batch_id,
                position=position,
                conversation_id=str(key) if ids_are_text else key,
            )
        return batch

    @property
    def holds_ids(self) -> bool:
        """Whether items refer to the id that people know."""
        query = text("""
            SELECT count(*) FROM pg_constraint WHERE conrelid = 'public.batch_items'::regclass
            AND pg_get_constraintdef(oid) LIKE '%conversations(conversation_id)%'
        """)
        with reading(self.engine) as connection:
            return "id" not in self.columns or bool(connection.execute(query).scalar())


def columns_of(connection: Connection, table: str) -> dict[str, str]:
    query = text("""
        SELECT column_name, data_type FROM information_schema.columns
        WHERE (table_schema, table_name) = ('public', :table)
    """)
    return {row[0]: row[1] for row in connection.execute(query, {"table": table})}


@pytest.fixture
def engine(empty_database: Engine) -> Engine:
    migrate.upgrade(empty_database)
    return empty_database


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def application(request: pytest.FixtureRequest, engine: Engine) -> Application:
    return Application(engine, request.param)


@contextmanager
def searching(engine: Engine) -> Iterator[Any]:
    with reading(engine) as connection:
        terms = SearchTerms(keys=read_known_keys(connection), names=read_known_names(connection))

        def found(
            by: Column = "created", *, descending: bool = False, **filters: Any
        ) -> list[UUID]:
            order = Order(by=by, descending=descending)
            page = find_page(connection, Filters(**filters), order, terms, limit=50)
            every = [
                id
                for ids in reachable_ids(connection, Filters(**filters), order, terms)
                for id in ids
            ]
            assert list(page.ids) == every
            assert page.total == len(every)
            return every

        yield found


def test_a_batch_gives_its_conversations_in_its_order(application: Application):
    first, second, third = application.add(1), application.add(2), application.add(3)
    batch = application.batch(third, first, second, name="Spring")
    with reading(application.engine) as connection:
        assert find_batch(connection, "Spring").id == batch
        assert find_batch(connection, str(batch)).name == "Spring"
        assert [one.id for one in list_batches(connection, limit=9)] == [batch]
        ids = conversation_ids_of(connection, find_batch(connection, "Spring"))
    ordered = "position" in application.item_columns
    assert ids == ([third, first, second] if ordered else [first, second, third])


def test_words_are_read_from_the_snapshot(application: Application):
    id = application.add(1)
    with reading(application.engine) as connection:
        (row,) = conversation_rows(connection, [id])
        keys, names = read_known_keys(connection), read_known_names(connection)
    assert (row.persona_key, row.emotional_arc_key, row.topic_key) == (
        "persona_1",
        "arc_1",
        "topic_1",
    )
    assert (row.title, row.enrichment_status) == ("Topic 1 · Person 1", "completed")
    assert (keys.personas, keys.arcs, keys.topics) == (("persona_1",), ("arc_1",), ("topic_1",))
    assert (names.topics, names.persons) == (("Topic 1",), ("Person 1",))


def test_the_gate_and_an_add_know_batch_words_and_membership(
    application: Application, training_files: Any
):
    first, second, waiting = (
        application.add(1),
        application.add(2),
        application.add(3, enrichment_status="enriched"),
    )
    batch = application.batch(first, waiting)
    engine = application.engine
    with reading(engine) as connection:
        admission = gate(connection, request("A", [second, first], new=True))
    assert [(one.conversation_id, one.batch_id) for one in admission.conversations] == [
        (second, None),
        (first, batch),
    ]
    assert admission.conversations[0].row_scaffolding == {
        "persona_archetype": "persona_2",
        "emotional_arc_key": "arc_2",
        "training_topic_key": "topic_2",
    }
    version = add(
        engine,
        resources.conversations_store(),
        training_files,
        request("A", [first], new=True),
        limits=Limits(),
    )
    with reading(engine) as connection:
        with pytest.raises(Blocked) as caught:
            gate(connection, request("A", [first, waiting, uuid4()]))
        (member,) = members_page(connection, version, limit=5, offset=0)
        (row,) = conversation_rows(connection, [first])
    assert [reason.code for reason in caught.value.reasons] == [
        "already-member",
        "not-completed",
        "unknown-conversation",
    ]
    assert (member.topic_name, member.persona_name) == ("Topic 1", "Person 1")
    assert ([one.id for one in row.batches], [one.name for one in row.training_files]) == (
        [batch],
        ["A"],
    )
    with searching(engine) as found:
        assert set(found(not_in=version.training_file_id)) == {second, waiting}


def test_every_order_and_filter_finds_the_same_as_in_tables_of_our_own(application: Application):
    ids = [application.add(number) for number in range(1, 5)]
    batch = application.batch(ids[2], ids[0], name="Spring_clients")
    has = {
        "tier": "tier" in application.columns,
        "created": "created_at" in application.columns,
    }
    with searching(application.engine) as found:
        for column in COLUMNS:
            by = [ids, ids[::-1]] if has.get(column, True) and column != "tier" else [ids, None]
            assert found(column) == by[0], column
            if by[1]:
                assert found(column, descending=True) == by[1], column
        assert found("batch") == [ids[0], ids[2], ids[1], ids[3]] or found("batch") == [
            ids[2],
            ids[0],
            ids[1],
            ids[3],
        ]
        assert set(found(batch_ids=[batch])) == {ids[0], ids[2]}
        assert set(found(batch_ids=[batch, uuid4()])) == {ids[0], ids[2]}
        assert found(persona="persona_2") == [ids[1]]
        assert found(arc="arc_3") == [ids[2]]
        assert found(topic="topic_4", status="completed") == [ids[3]]
        assert found(status="enriched") == []
        assert found(text="person 3") == [ids[2]]
        assert found(text="Topic 2") == [ids[1]]
        assert set(found(text="spring clients")) == {ids[0], ids[2]}
        assert found(text=str(ids[1])) == [ids[1]]
        assert found(text="abcd-0000") == ids
    with reading(application.engine) as connection:
        listed = [row.conversation_id for row in list_conversations(connection, sort="quality")]
        assert listed == ids[::-1]
        of_batch = list_conversations(connection, Filters(batch_ids=(batch,)), sort="batch")
        assert {row.conversation_id for row in of_batch} == {ids[0], ids[2]}
        assert len(conversations_stamp(connection)) == 3


def test_a_conversation_of_a_batch_beyond_those_named_by_id_is_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    application = Application(engine, BY_KEY)
    ids = [application.add(number) for number in (1, 2)]
    application.batch(*ids, name="Spring")
    application.add(3)
    monkeypatch.setattr("db.search_terms.MAX_NAMED", 1)
    with searching(engine) as found:
        assert found(text="spring") == ids


def test_blank_words_count_as_none_and_a_word_on_the_row_wins(engine: Engine):
    application = Application(engine, BY_KEY)
    blank = application.add(1, persona_key="", scaffolding_snapshot=None)
    filled = application.add(2, persona_key="", topic_key="of the row")
    with reading(engine) as connection:
        rows = conversation_rows(connection, [blank, filled])
        assert read_known_keys(connection).personas == ("persona_2",)
    assert [row.persona_key for row in rows] == [None, "persona_2"]
    assert [row.topic_key for row in rows] == [None, "of the row"]


@pytest.mark.parametrize("tables", [IDS_ARE_TEXT, ALL_IDS_ARE_TEXT])
def test_ids_that_are_no_uuids_are_not_listed(engine: Engine, tables: str):
    application = Application(engine, tables)
    good = application.add(1)
    for strange in ("conv_17", str(uuid4()).upper(), "", None):
        application.insert("conversations", conversation_id=strange, enrichment_status="completed")
    with searching(engine) as found:
        assert found() == [good]
    with reading(engine) as connection:
        assert [row.conversation_id for row in list_conversations(connection)] == [good]


def test_rows_without_an_id_are_not_listed(engine: Engine):
    application = Application(engine, KEYS_ARE_NUMBERS)
    application.insert("conversations", conversation_id=None, enrichment_status="completed")
    with searching(engine) as found:
        assert found() == []


def test_an_application_without_batches_is_read(engine: Engine):
    execute(engine, LEAN + "; DROP TABLE batch_jobs, batch_items")
    id = uuid4()
    execute(engine, f"INSERT INTO conversations VALUES ('{id}', 'completed', 'a.json')")
    with searching(engine) as found:
        assert found("batch") == [id]
        assert found(batch_ids=[uuid4()]) == []
        assert found(text="spring") == []
    with reading(engine) as connection:
        assert list_batches(connection, limit=9) == []
        (eligible,) = gate(connection, request("A", [id], new=True)).conversations
        assert eligible.batch_id is None


def test_a_missing_required_column_is_named(engine: Engine):
    execute(engine, BY_KEY)
    execute(engine, "ALTER TABLE conversations DROP COLUMN enriched_file_path")
    with (
        reading(engine) as connection,
        pytest.raises(
            NotReady, match=r"public\.conversations lacks .* enriched_file_path.*Nothing"
        ),
    ):
        list_conversations(connection)


def test_a_right_to_read_that_is_missing_is_named_with_its_grant(project: Engine):
    execute(project, BY_KEY + "; CREATE SCHEMA trainfold AUTHORIZATION reader")
    reader = engine_of(project, "reader")
    migrate.upgrade(reader)
    with reading(reader) as connection, pytest.raises(AccessRefused) as caught:
        list_conversations(connection)
    grants = str(caught.value).split("run: ")[1]
    assert "GRANT SELECT ON TABLE public.conversations TO reader;" in grants
    execute(project, grants)
    with reading(reader) as connection:
        assert list_conversations(connection) == []
    reader.dispose()


def test_columns_that_a_role_may_not_read_count_as_missing(project: Engine):
    execute(project, BY_KEY + "; CREATE SCHEMA trainfold AUTHORIZATION reader")
    id = uuid4()
    execute(
        project,
        f"""
        INSERT INTO conversations (conversation_id, enrichment_status, persona_key)
        VALUES ('{id}', 'completed', 'hidden');
        GRANT USAGE ON SCHEMA public TO reader;
        GRANT SELECT ON batch_jobs, batch_items TO reader;
        GRANT SELECT (id, conversation_id, enrichment_status, enriched_file_path)
        ON conversations TO reader
        """,
    )
    reader = engine_of(project, "reader")
    migrate.upgrade(reader)
    with reading(reader) as connection:
        (row,) = list_conversations(connection)
    assert (row.conversation_id, row.persona_key) == (id, None)
    reader.dispose()


def test_the_key_that_batch_items_refer_to_must_be_readable(project: Engine):
    execute(project, BY_KEY + "; CREATE SCHEMA trainfold AUTHORIZATION reader")
    execute(
        project,
        """
        GRANT USAGE ON SCHEMA public TO reader;
        GRANT SELECT ON batch_jobs, batch_items TO reader;
        GRANT SELECT (conversation_id, enrichment_status, enriched_file_path)
        ON conversations TO reader
        """,
    )
    reader = engine_of(project, "reader")
    migrate.upgrade(reader)
    with (
        reading(reader) as connection,
        pytest.raises(NotReady, match=r"public\.conversations lacks the column id, or trainfold's"),
    ):
        list_conversations(connection)
    reader.dispose()


def test_a_changed_application_is_read_anew_after_one_failure(engine: Engine):
    application = Application(engine, BY_KEY)
    id = application.add(1)
    with reading(engine) as connection:
        (row,) = conversation_rows(connection, [id])
    assert row.tier == "template"
    execute(engine, "ALTER TABLE conversations DROP COLUMN tier")
    with pytest.raises(NotReady), reading(engine) as connection:
        conversation_rows(connection, [id])
    with reading(engine) as connection:
        (row,) = conversation_rows(connection, [id])
    assert row.tier is None


def test_an_application_that_comes_later_is_noticed_in_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    with reading(engine) as connection:
        assert source_tables(connection).shape.is_ours
    execute(engine, BY_KEY)
    monkeypatch.setattr("db.schemas.MAX_AGE_SECONDS", -1)
    with reading(engine) as connection:
        assert not source_tables(connection).shape.is_ours


def test_the_schema_of_the_source_can_be_set(engine: Engine):
    execute(engine, BY_KEY)
    url = engine.url.render_as_string(hide_password=False)
    own = make_engine(url, source_schema="trainfold")
    with reading(own) as connection:
        assert source_tables(connection).shape.is_ours
    elsewhere = make_engine(url, source_schema="elsewhere")
    with (
        reading(elsewhere) as connection,
        pytest.raises(NotReady, match=r"no table elsewhere\.conversations"),
    ):
        list_conversations(connection)
    own.dispose()
    elsewhere.dispose()


def test_an_import_beside_an_application_is_refused_before_anything_is_stored(
    engine: Engine, tmp_path: Any
):
    execute(engine, BY_KEY)
    id = uuid4()
    (tmp_path / "one.json").write_bytes(as_bytes(conversation(id)))
    url = engine.url.render_as_string(hide_password=False)

    def importing(target: Engine) -> list[UUID]:
        importer = Importer(
            engine=target,
            store=resources.conversations_store(),
            limits=Limits(),
            imported_by="a test",
            update=False,
        )
        return importer.run([tmp_path], batch_name="Own", progress=lambda *_: None).imported

    with pytest.raises(NotReady, match=r"Nothing was uploaded.*TRAINFOLD_SOURCE_SCHEMA=trainfold"):
        importing(engine)
    stored = {one.key for one in resources.conversations_store().listed()}
    assert not [key for key in stored if str(id) in key]
    own = make_engine(url, source_schema="trainfold")
    assert importing(own) == [id]
    with reading(own) as connection:
        assert [row.batches[0].name for row in list_conversations(connection)] == ["Own"]
    own.dispose()


def test_nothing_keeps_the_application_from_changing_its_tables(engine: Engine):
    application = Application(engine, BY_KEY)
    with reading(engine) as connection:
        conversation_rows(connection, [application.add(1)])
    execute(
        engine,
        "ALTER TABLE conversations ALTER COLUMN persona_key TYPE text, DROP COLUMN topic_key;"
        "DROP TABLE batch_items, batch_jobs, conversations",
    )
