"""The commands of docs/api.md are run, by bash and curl, on a console and a Prefect worker."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from operations import resources
from operations.importing import Importer
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import served

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
RUN = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)
SHOWN = re.compile(r"```json\n(.*?)```", re.DOTALL)
NOTHING = "------"


def script(address: str) -> str:
    """The page's commands; what one step prints is told apart from what the next one does."""
    steps = RUN.findall(PAGE)
    steps[0] = re.sub(r"^API=\S+", f"API={address}/api/v1", steps[0])
    return "set -euo pipefail\n" + f"echo {NOTHING}\n".join(steps)


def shape(value: object) -> object:
    """A document's keys, without what differs from run to run."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else None


def test_the_applications_journey_does_what_the_page_shows(
    engine: Engine, worker: str, library: Library, tmp_path: Path
):
    carry_out(request("Talks about money", [library.add()], new=True))
    importer = Importer(
        engine=resources.engine(),
        store=resources.conversations_store(),
        limits=resources.settings().limits,
        imported_by="a test",
        update=False,
    )
    importer.run([ROOT / "samples/spring-batch"], batch_name="spring", progress=lambda *_: None)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with served() as address:
        done = subprocess.run(
            ["bash", "-c", script(address)],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stderr + done.stdout
    printed = [text.strip() for text in done.stdout.split(NOTHING)]
    _, files, chosen, checked, accepted, followed, downloaded, blocked = printed
    shown = [json.loads(text) for text in SHOWN.findall(PAGE)]
    assert shape(json.loads(files)) == shape(shown[0])
    found, batches = map(json.loads, chosen.splitlines())
    assert (found["total"], [it["name"] for it in batches["items"]]) == (5, ["spring"])
    assert json.loads(checked).keys() == shown[1].keys()
    assert len(json.loads(checked)["eligible"]) == 5
    assert json.loads(accepted)["request_id"] == "spring-talks-1"
    state, status = followed.splitlines()
    assert (state, json.loads(status)["version"]["created_by"]) == ("done", "the app")
    assert json.loads(downloaded) == shown[3]
    assert len((tmp_path / "spring-talks.jsonl").read_text().splitlines()) == 13
    problem = json.loads(blocked)
    assert shape(problem) == shape(shown[4])
    assert shape(problem["blocked"][0]) == shape(shown[2])
    assert {name: problem[name] for name in ("type", "title", "status", "detail")} == {
        name: shown[4][name] for name in ("type", "title", "status", "detail")
    }
