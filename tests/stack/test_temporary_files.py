"""Where the services keep temporary files: no two homes, and no two users, share a folder."""

import stat
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import HOME
from tests.stack.homes import down, running, temporary_home, up
from tests.stack.strangers import IS_ROOT, as_stranger
from trainfold.stack import Service, StackError
from trainfold.stack.home import temporary_directory


def temporary_of(home: Path, service: Service) -> Path:
    return Path(psutil.Process(running(home)[service]).environ()["TMPDIR"])


def test_each_home_has_a_folder_of_its_own_until_it_is_down(home: Path) -> None:
    up(home, Service.S3)
    with temporary_home() as other:
        up(other, Service.S3)
        folders = [temporary_of(each, Service.S3) for each in (home, other)]
        assert folders == [home / "tmp", other / "tmp"]
        for folder in folders:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        down(other)
        assert [folder.exists() for folder in folders] == [True, False]


def test_a_long_path_gets_a_short_folder_that_is_as_private(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)
    folder = temporary_directory(home)
    try:
        assert folder.parent == Path(tempfile.gettempdir())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert temporary_directory(home) == folder
        assert temporary_directory(tmp_path / ("y" * 100)) != folder
    finally:
        folder.rmdir()
        temporary_directory(tmp_path / ("y" * 100)).rmdir()


def make_folder(given: dict[str, Any]) -> None:
    import pathlib  # noqa: PLC0415 - this function runs in a program of its own

    pathlib.Path(given["argument"]).mkdir(0o777)


@pytest.mark.skipif(not IS_ROOT, reason="needs root to become another user")
def test_a_folder_that_another_user_made_first_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)
    folder = temporary_directory(home)
    folder.rmdir()
    as_stranger(make_folder, str(folder))
    try:
        with pytest.raises(StackError, match="only you can enter"):
            temporary_directory(home)
    finally:
        folder.rmdir()


@pytest.mark.slow
def test_a_worker_keeps_what_it_runs_in_its_home(worker: str) -> None:
    """Where two users share the system's folder, the second's worker died on the first's."""
    assert temporary_of(HOME, Service.WORKER) == HOME / "tmp"
    assert (HOME / "tmp" / "runner_storage").is_dir()
