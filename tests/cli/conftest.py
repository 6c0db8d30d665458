"""The command, as tests of the command line run it."""

from pathlib import Path

import pytest

from tests.commands import Run, run


@pytest.fixture
def trainfold(engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return run
