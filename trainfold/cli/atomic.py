"""Files and folders that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

from domain.errors import TrainfoldError


class OutputRefused(TrainfoldError):
    """An output path that cannot be written, or that holds something already."""


@contextmanager
def whole_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Open a file that takes its name once everything is written, and is removed otherwise.

    Raises OutputRefused; a file of that name is replaced only with `force`.
    """
    require_writable(path, force=force)
    with _temporary_file(path) as (name, out):
        yield out
        out.close()
        name.chmod(0o644)
        if force:
            name.replace(path)
        else:
            _take_free_name(name, path)


def require_writable(path: Path, *, force: bool) -> None:
    """Raise OutputRefused if it is known before any work that the file cannot be written."""
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise OutputRefused(_unwritable(path, error)) from error
    if not force:
        raise OutputRefused(_exists(path))
    if not path.is_file():
        raise OutputRefused(f"{path} is not a regular file. Nothing was written.")


def inside(path: Path, name: str) -> Path:
    """Return the file of this name in the folder, or the path itself if it is no folder."""
    try:
        return path / name if path.is_dir() else path
    except OSError as error:
        raise OutputRefused(_unwritable(path, error)) from error


@contextmanager
def _temporary_file(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".trainfold-")
    except OSError as error:
        raise OutputRefused(_unwritable(path, error)) from error
    try:
        with os.fdopen(handle, "wb") as out:
            yield Path(name), out
    finally:
        Path(name).unlink(missing_ok=True)


def _take_free_name(temporary: Path, path: Path) -> None:
    """Rename the file unless the name was taken meanwhile, without a moment between the two."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise OutputRefused(_exists(path)) from None
    except OSError:
        # This file system has no links.
        require_writable(path, force=False)
        temporary.replace(path)


def _unwritable(path: Path, error: OSError | ValueError) -> str:
    why = getattr(error, "strerror", None) or str(error)
    return (
        f"{path} cannot be written: {why}. Nothing was written. "
        "Name a file in a folder that exists and is yours with -o."
    )


def _exists(path: Path) -> str:
    return (
        f"{path} exists already and was not changed. Nothing was written. "
        "`--force` replaces it; -o names another file."
    )


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Make a folder that takes its name once it is filled; one that is not empty is refused."""
    try:
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise typer.BadParameter(f"{path} is not an empty folder. Nothing was written.")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".trainfold-"))
    except OSError as error:
        raise OutputRefused(
            f"{path} cannot be made: {error.strerror}. Nothing was written. "
            "Name a new folder in one that is yours."
        ) from error
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
