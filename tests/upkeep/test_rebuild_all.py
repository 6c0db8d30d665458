from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from db.engine import reading
from db.versions import find_version
from flows.rebuild_all import rebuild_all
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library

pytestmark = pytest.mark.usefixtures("prefect_server")


def enrich_again(library: Library, id: UUID) -> None:
    data = as_bytes(conversation(id, turns=6, score=4))
    library.store.put(f"tests/{id}.json", data, content_type="application/json")


def current(engine: Engine, name: str) -> tuple[int, str]:
    with reading(engine) as connection:
        version = find_version(connection, name)
    return version.number, version.reason


def test_what_stops_one_file_does_not_stop_the_others(library: Library, engine: Engine):
    ids = library.add_many(3)
    for name, id in zip(("Changed", "Blocked", "Same"), ids, strict=True):
        carry_out(request(name, [id], new=True))
    enrich_again(library, ids[0])
    with engine.begin() as connection:
        remove = text("DELETE FROM trainfold.conversations WHERE conversation_id = :id")
        connection.execute(remove, {"id": ids[1]})
    state = rebuild_all(return_state=True)
    assert (state.type.value, state.name) == ("FAILED", "Blocked")
    assert state.message == "3 training files: 1 rebuilt, 1 unchanged, “Blocked” Blocked"
    assert current(engine, "Changed") == (2, "rebuild")
    assert current(engine, "Blocked") == (1, "create")
    assert current(engine, "Same") == (1, "create")
    again = rebuild_all(return_state=True)
    assert again.message == "3 training files: 0 rebuilt, 2 unchanged, “Blocked” Blocked"


def test_a_damaged_file_fails_and_the_others_go_on(
    library: Library, engine: Engine, training_files
):
    ids = library.add_many(3)
    version = carry_out(request("Damaged", ids[:2], new=True))
    carry_out(request("Sound", ids[2:], new=True))
    training_files.delete(version.full.key)
    for id in (ids[0], ids[2]):
        enrich_again(library, id)
    state = rebuild_all(return_state=True)
    assert (state.type.value, state.name) == ("FAILED", "Failed")
    assert state.message == "2 training files: 1 rebuilt, 0 unchanged, “Damaged” Failed"
    assert current(engine, "Damaged") == (1, "create")
    assert current(engine, "Sound") == (2, "rebuild")


def test_where_nothing_has_changed_it_says_so(library: Library, engine: Engine):
    carry_out(request("Same", library.add_many(1), new=True))
    state = rebuild_all(return_state=True)
    assert (state.name, state.message) == (
        "Unchanged",
        "1 training file: 0 rebuilt, 1 unchanged",
    )
