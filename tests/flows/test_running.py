import pickle
import subprocess
import sys

import pytest
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote
from prefect_dask import DaskTaskRunner

from domain.errors import NotReady
from flows.add_conversations import add_conversations
from flows.running import task_runner


def test_flows_run_their_tasks_in_threads_unless_told_otherwise():
    assert task_runner() is None
    assert isinstance(add_conversations.task_runner, ThreadPoolTaskRunner)


def test_a_dask_cluster_is_used_when_the_settings_say_so(monkeypatch):
    monkeypatch.setenv("TRAINFOLD_TASK_RUNNER", "dask")
    monkeypatch.setenv("TRAINFOLD_DASK_ADDRESS", "tcp://127.0.0.1:8786")
    assert task_runner() == DaskTaskRunner(address="tcp://127.0.0.1:8786")


def test_dask_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setenv("TRAINFOLD_TASK_RUNNER", "dask")
    monkeypatch.setitem(sys.modules, "prefect_dask.task_runners", None)
    with pytest.raises(NotReady, match="extra `dask`"):
        task_runner()


def test_dask_is_not_imported_where_it_is_not_used():
    code = "import sys, flows.rebuild; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_quoted_argument_survives_every_pickling():
    argument = quote(["a", "plan"])
    for _ in range(3):
        argument = pickle.loads(pickle.dumps(argument))
    assert argument.unquote() == ["a", "plan"]
