"""The commands of docs/prefect-api.md are run, on the shipped deployments and bundled samples."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from operations import resources
from operations.importing import Importer

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/prefect-api.md").read_text(encoding="utf-8")
RUN = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)
SHOWN = re.compile(r"```json\n(.*?)```", re.DOTALL)
FOLLOW = "until ask"
READ = "artifacts/filter"


def steps() -> list[str]:
    return RUN.findall(PAGE)


def script(api: str) -> str:
    """The page's commands; every run that one starts is followed and read as the page says."""
    first, *others = steps()
    (follow,) = [step for step in others if step.startswith(FOLLOW)]
    (read,) = [step for step in others if READ in step]
    starts = [step for step in others if step not in (follow, read)]
    lines = ["set -eu", re.sub(r"^API=\S+", f"API={api}", first)]
    for start in starts:
        lines += [start, follow, "echo '---'", read, "echo '---'"]
    return "\n".join(lines)


@pytest.mark.usefixtures("engine")
def test_every_command_of_the_page_does_what_it_says(worker: str):
    importer = Importer(
        engine=resources.engine(),
        store=resources.conversations_store(),
        limits=resources.settings().limits,
        imported_by="a test",
        update=False,
    )
    importer.run([ROOT / "samples/spring-batch"], batch_name="spring", progress=lambda *_: None)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script(worker)],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    states = [text.strip() for text in done.stdout.split("---\n")[::2]]
    results = [json.loads(text) for text in done.stdout.split("---\n")[1::2]]
    assert states[:7] == ["COMPLETED"] * 7
    added, removed, restored, rebuilt, all_rebuilt, verified, maintained = results
    (shown,) = SHOWN.findall(PAGE)
    assert list(added) == list(json.loads(shown))
    assert (added["version"], added["request_id"]) == (1, "spring-talks-1")
    assert (removed["conversations"], removed["comment"]) == (1, "The client asked for it")
    assert (restored["conversations"], restored["restores"]) == (2, 1)
    assert (rebuilt["new"], rebuilt["changed"]) == (False, [])
    assert [each["state"] for each in all_rebuilt["files"]] == ["Unchanged"]
    assert verified == {"verified": ["Spring talks"], "damaged": []}
    assert set(maintained) == {
        "objects", "size_bytes", "uploads", "removed", "foreign", "foreign_count",
    }  # fmt: skip


def test_every_deployment_is_on_the_page():
    names = re.findall(r"^  - name: (\S+)$", (ROOT / "prefect.yaml").read_text(), re.MULTILINE)
    names.remove("identify")  # `trainfold doctor` alone runs it
    assert len(names) == 7
    missing = [name for name in names if f'/{name}"' not in PAGE]
    assert missing == []
