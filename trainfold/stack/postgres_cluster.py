"""Makes PostgreSQL's data directory."""

import shutil
import tempfile
from pathlib import Path

from trainfold.stack.credentials import read_credentials
from trainfold.stack.ports import LOOPBACK
from trainfold.stack.postgres_programs import run_program
from trainfold.stack.system_user import give, is_root

SUPERUSER = "trainfold"
_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # The built-in provider sorts alike on every system; libc knows C everywhere, C.UTF-8 not.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--set=listen_addresses={LOOPBACK}",
    "--set=unix_socket_directories=",
    "--set=max_connections=100",
)


def data_directory(home: Path) -> Path:
    return home / "postgresql" / "data"


def ensure_cluster(home: Path, *, log: Path) -> None:
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
        run_program("initdb", *_OPTIONS, f"--pwfile={password.name}", target, home=home, log=log)
