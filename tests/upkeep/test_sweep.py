from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from db.engine import reading
from db.versions import PostgresVersionLog
from domain.errors import CommitConflict
from domain.source.limits import Limits
from domain.versions.changes import compose_add
from domain.versions.validation import validate
from operations.admission import gate
from operations.committing import store_objects
from operations.sweep import sweep_store
from tests.asking import carry_out, content_of, request
from tests.conftest import Library

NO_AGE = timedelta(0)
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def empty_bucket(training_files):
    for item in list(training_files.listed()):
        training_files.delete(item.key)


def written_but_not_committed(engine, library: Library, training_files, *, age=NO_AGE):
    """A version whose objects are there and whose row is not, as after a crash."""
    id = library.add()
    asked = request("Crashed", [id], new=True)
    with reading(engine) as connection:
        admission = gate(connection, asked)
        now = connection.execute(text("SELECT now()")).scalar_one()
    fragments = [validate(library.files[id], admission.conversations[0], limits=Limits())]
    composition = compose_add(
        asked, admission, fragments, new_id=uuid4(), now=now - age, attempt="crashed"
    )
    store_objects(training_files, composition)
    return composition


def test_objects_of_a_crash_are_found_and_removed_and_no_others(engine, library, training_files):
    kept = carry_out(request("A", [library.add()], new=True))
    before = content_of(kept)
    crashed = written_but_not_committed(engine, library, training_files).version
    found = sweep_store(engine, training_files, safe_age=NO_AGE, delete=False)
    assert set(found.objects) == {crashed.full.key, crashed.lines.key}
    assert found.size_bytes == crashed.full.size_bytes + crashed.lines.size_bytes
    assert len(list(training_files.listed())) == 4
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=True).removed
    assert content_of(kept) == before
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=True).objects == ()


def test_what_could_still_be_committed_is_left_alone(engine, library, training_files):
    composition = written_but_not_committed(engine, library, training_files)
    assert sweep_store(engine, training_files, safe_age=A_DAY, delete=True).objects == ()
    PostgresVersionLog(engine).commit(composition)
    assert content_of(composition.version)


def test_what_maintenance_may_have_removed_is_not_committed(engine, library, training_files):
    composition = written_but_not_committed(
        engine, library, training_files, age=timedelta(minutes=61)
    )
    with pytest.raises(CommitConflict, match="more than 1:00:00 ago"):
        PostgresVersionLog(engine).commit(composition)


def test_an_overtaken_request_leaves_no_object(engine, library, training_files):
    carry_out(request("A", [library.add()], new=True))
    carry_out(request("A", [library.add()]))
    assert len(list(training_files.listed())) == 4
