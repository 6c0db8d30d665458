import os
import time
from pathlib import Path

import pytest
from prefect.settings import get_current_settings

from flows.add_conversations import add_conversations
from flows.maintain import maintain
from tests.conftest import Library

pytestmark = pytest.mark.usefixtures("prefect_server")


def cached() -> set[Path]:
    return set(get_current_settings().results.local_storage_path.glob("trainfold-fetch-*"))


def test_the_nightly_job_removes_results_that_are_too_old_to_be_used(library: Library):
    before = cached()
    ids = [str(id) for id in library.add_many(3)]
    add_conversations(training_file="Tidied", conversation_ids=ids, new=True)
    old, *young = sorted(cached() - before)
    moment = time.time() - 25 * 3600
    os.utime(old, (moment, moment))
    maintain(delete=False)
    assert old.exists()
    maintain()
    assert not old.exists()
    assert all(path.exists() for path in young)
