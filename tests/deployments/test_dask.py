"""The task runner Dask, on a cluster of two worker processes: the same bytes as with threads."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from distributed import LocalCluster

from db.engine import reading
from db.versions import find_version
from operations import resources
from soak.building import as_bytes, conversation
from tests.asking import content_of
from tests.conftest import Library

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]
COMMAND = Path(sys.executable).with_name("trainfold")
THREADS: Mapping[str, str] = {}


@pytest.fixture(scope="module")
def cluster(prefect_server: str) -> Iterator[LocalCluster]:
    """Two worker processes with the environment of the stack, as an operator's have it."""
    settings = {"host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(n_workers=2, threads_per_worker=4, **settings) as cluster:
        yield cluster


@pytest.fixture
def dask(cluster: LocalCluster) -> Iterator[Mapping[str, str]]:
    """The settings of a run on the cluster; afterwards, that the cluster had work."""
    before = cluster.scheduler.transition_counter
    yield {
        "TRAINFOLD_TASK_RUNNER": "dask",
        "TRAINFOLD_DASK_ADDRESS": cluster.scheduler_address,
    }
    assert cluster.scheduler.transition_counter > before


def trainfold(where: Mapping[str, str], *arguments: object, code: int = 0) -> Any:
    """What the command answers with the task runner of these settings."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments), "--json"],
        env=os.environ | where,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def content(name: str) -> tuple[bytes, bytes]:
    """The conversations and the examples of the current version, without their headers."""
    with reading(resources.engine()) as connection:
        version = find_version(connection, name)
    full, lines = content_of(version)
    return full[version.full.content_start :], lines[version.lines.content_start :]


def enrich_again(library: Library, id: UUID) -> None:
    data = as_bytes(conversation(id, turns=6, score=4))
    library.store.put(f"tests/{id}.json", data, content_type="application/json")


def test_adding_and_rebuilding_give_the_same_bytes_as_with_threads(
    library: Library, dask: Mapping[str, str]
):
    ids = library.add_many(12)
    for where, name in ((THREADS, "Threads"), (dask, "Dask")):
        trainfold(where, "add", name, *ids, "--new")
    assert content("Threads") == content("Dask")
    for id in ids[::3]:
        enrich_again(library, id)
    rebuilt = [
        trainfold(where, "rebuild", name) for where, name in ((THREADS, "Threads"), (dask, "Dask"))
    ]
    assert [each["version"] for each in rebuilt] == [2, 2]
    assert [each["changed"] for each in rebuilt] == [list(map(str, ids[::3]))] * 2
    assert content("Threads") == content("Dask")


def test_reasons_come_back_from_the_cluster(library: Library, dask: Mapping[str, str]):
    broken, missing = library.add(data=b"{"), library.add(enriched_file_path="nobody/put/this.json")
    ids = [library.add(), broken, missing]
    answers = [
        trainfold(where, "add", f"Blocked {uuid4()}", *ids, "--new", code=3)["blocked"]
        for where in (THREADS, dask)
    ]
    assert answers[0] == answers[1]
    found = {each["conversation_id"]: each["code"] for each in answers[1]}
    assert found == {str(broken): "not-json", str(missing): "object-missing"}
