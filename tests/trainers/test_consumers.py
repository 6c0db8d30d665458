"""Exports given to the libraries that people train with (`make trainers`)."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from operations import resources
from tests.commands import run
from tests.conftest import Library, emptied_database

pytestmark = pytest.mark.trainers
HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv-trainers/bin/python"


@pytest.fixture(scope="module")
def answers(stack, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Export the real conversations, and return what the libraries make of them."""
    library = Library(emptied_database(), resources.conversations_store())
    files = sorted((shared / "corpus").glob("batch-*/*.json"))
    ids = [library.add(UUID(file.stem), data=file.read_bytes()) for file in files]
    assert run("add", "Talks", *ids, "--new").code == 0
    folder = tmp_path_factory.mktemp("export") / "talks"
    exported = run("export", "Talks", "--to", folder, "--json")
    assert exported.code == 0, exported.err
    command = [PYTHON, HERE / "consumers.py", folder, str(exported.json["max_length"])]
    done = subprocess.run(command, capture_output=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr.decode()[-3_000:]
    targets = [
        pair["target_response"]
        for file in files
        for pair in json.loads(file.read_bytes())["training_pairs"]
        if pair["target_response"]
    ]
    return json.loads(done.stdout) | {"targets": targets}


def test_every_library_reads_every_line(answers: dict[str, Any]) -> None:
    rows = {"messages": 58, "prompt-completion": 174, "sharegpt": 58}
    assert answers["rows"] == answers["polars"] == answers["duckdb"] == rows


def test_two_files_have_the_same_features_as_one(answers: dict[str, Any]) -> None:
    assert set(answers["appended"].values()) == {True}


def test_mistral_refuses_no_conversation(answers: dict[str, Any]) -> None:
    assert answers["mistral"] == []


@pytest.mark.parametrize("export", ["messages", "prompt-completion"])
def test_trl_trains_the_approved_answers_each_once_and_nothing_else(
    answers: dict[str, Any], export: str
) -> None:
    assert Counter(answers["trained"][export]) == Counter(answers["targets"])


def test_trl_cuts_answers_off_at_its_defaults(answers: dict[str, Any]) -> None:
    """This is why an export says which length to set: without it, TRL says nothing."""
    whole = Counter(answers["trained"]["prompt-completion at TRL's defaults"])
    assert (whole & Counter(answers["targets"])).total() < len(answers["targets"]) // 2
