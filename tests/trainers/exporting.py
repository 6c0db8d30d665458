"""Exports for the libraries: of the real conversations, and of others."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

from operations import resources
from tests.asking import carry_out, request
from tests.commands import run
from tests.conftest import Library, emptied_database

HERE = Path(__file__).parent


def real_library(shared: Path) -> tuple[Library, list[UUID], list[str]]:
    """Register the real conversations; return their ids, and all approved answers."""
    library = Library(emptied_database(), resources.conversations_store())
    files = sorted((shared / "corpus").glob("batch-*/*.json"))
    ids = [library.add(UUID(file.stem), data=file.read_bytes()) for file in files]
    targets = [
        pair["target_response"]
        for file in files
        for pair in json.loads(file.read_bytes())["training_pairs"]
        if pair["target_response"]
    ]
    return library, ids, targets


def exported(name: str, ids: list[UUID], folder: Path) -> dict[str, Any]:
    """Make a training file and export it into the folder; return the document."""
    carry_out(request(name, ids, new=True))
    done = run("export", name, "--to", folder, "--json")
    assert done.code == 0, done.err
    return done.json


def what_they_make_of_it(environment: str, script: str, *arguments: object) -> dict[str, Any]:
    """Run a script of this folder in the libraries' environment; return what it prints."""
    return json.loads(ran(environment, script, *arguments))


def ran(environment: str, script: str, *arguments: object) -> bytes:
    python = HERE.parents[1] / environment / "bin/python"
    command = [python, HERE / script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr.decode()[-3_000:]
    return done.stdout
