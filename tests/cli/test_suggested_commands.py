"""Commands that reports and results suggest run as they are printed, whatever the file's name."""

import re
import shlex
from pathlib import Path

import pytest

from operations import resources
from operations.stored_exports import ensure_exports
from tasks.report import exports_markdown, version_markdown
from tests.asking import carry_out, request
from tests.commands import Run
from tests.conftest import Library

NAMES = (
    "Spring talks",
    "שיחות 🏮",
    "-rf",
    "--help",
    'a\'b "$HOME"',
    "`x` ; echo no",
    "| a |",
    "א" * 120,
)


def suggested(text: str) -> list[str]:
    """Return the words of the command in a report, without the marks of inline code."""
    (fence, command) = re.search(r"after that: (`+) (.*) \1\.", text).groups()
    assert fence not in command
    words = shlex.split(command)
    assert words[0] == "trainfold"
    return words[1:]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_summary_suggests_runs_as_printed(
    trainfold: Run, library: Library, tmp_path: Path, name: str
) -> None:
    version = carry_out(request(name, [library.add()], new=True))
    ran = trainfold(*suggested(version_markdown(version)))
    assert ran.code == 0, ran.err
    engine, store = resources.engine(), resources.training_files_store()
    exports = ensure_exports(engine, store, version, ["messages"], created_by="a test")
    ran = trainfold(*suggested(exports_markdown(version, exports)))
    assert ran.code == 0, ran.err
    assert len(list(tmp_path.iterdir())) == 2
