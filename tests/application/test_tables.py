"""Beside the application, through its pooler: a schema and grants are all that trainfold needs."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from db import migrate
from db.batches import conversation_ids_of, find_batch
from db.conversation_list import conversation_rows
from db.engine import make_engine, reading
from db.own_schema import statements_to_close
from domain.errors import AccessRefused
from domain.source.limits import Limits
from operations import resources
from operations.add import add
from operations.verify import verify_version
from storage.store import ObjectStore
from tests.application.conftest import (
    BATCHES,
    OWNER,
    RIGHTS,
    TRAINFOLD,
    Application,
    Conversation,
    NewApplication,
)
from tests.asking import request


@pytest.fixture
def application(new_project: NewApplication, conversations: list[Conversation]) -> Application:
    application = new_project()
    application.create_tables()
    application.insert(conversations)
    return application


@pytest.fixture(params=[TRAINFOLD, OWNER])
def engine(request: pytest.FixtureRequest, application: Application) -> Iterator[Engine]:
    """A migrated installation of a dedicated role, or of the application's owner."""
    application.run_sql(RIGHTS, role="superuser")
    if request.param == OWNER:
        application.run_sql(f"ALTER SCHEMA trainfold OWNER TO {OWNER}", role="superuser")
    engine = make_engine(application.url(request.param))
    migrate.upgrade(engine)
    yield engine
    engine.dispose()


def test_every_batch_becomes_a_training_file(
    engine: Engine,
    application: Application,
    conversations: list[Conversation],
    training_files: ObjectStore,
):
    store = resources.conversations_store()
    for one in conversations:
        store.put(one.path, one.data, content_type="application/json")
    for name, size in BATCHES.items():
        members = [one for one in conversations if one.batch == name]
        with reading(engine) as connection:
            ids = conversation_ids_of(connection, find_batch(connection, name))
            rows = conversation_rows(connection, ids)
        assert ids == [one.id for one in members]
        assert [
            (row.persona_key, row.emotional_arc_key, row.topic_key, row.batches[0].name)
            for row in rows
        ] == [(one.persona_key, one.arc_key, one.topic_key, name) for one in members]
        asked = request(name, ids, new=True)
        version = add(engine, store, training_files, asked, limits=Limits())
        assert version.conversation_count == size
        assert verify_version(engine, training_files, name) == version
    with reading(engine) as connection:
        assert statements_to_close(connection) == []
    migrate.check_for_drift(engine)


def test_a_missing_right_is_named_and_enough(application: Application):
    engine = make_engine(application.url(TRAINFOLD))
    with pytest.raises(AccessRefused) as refused:
        migrate.upgrade(engine)
    application.run_sql(str(refused.value).split("run: ")[1], role="superuser")
    migrate.upgrade(engine)
    with pytest.raises(AccessRefused) as refused, reading(engine) as connection:
        find_batch(connection, "Leftovers")
    application.run_sql(str(refused.value).split("run: ")[1])
    with reading(engine) as connection:
        conversation_rows(connection, [])
    engine.dispose()
