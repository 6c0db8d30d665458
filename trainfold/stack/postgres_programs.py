"""Runs PostgreSQL's programs as the user that owns its data."""

import os
import subprocess
from pathlib import Path

from trainfold.stack.errors import StackError
from trainfold.stack.postgres_installation import programs
from trainfold.stack.processes import tail
from trainfold.stack.system_user import run_as

# Nothing of the caller's environment: its PG* would change what runs, and its secrets would
# show to the other user. LC_ALL must be set, or the server refuses to start on macOS.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


def run_program(name: str, *arguments: str | Path, home: Path, log: Path) -> None:
    """Run to the end, output to the log; raise StackError when it fails."""
    with log.open("ab") as output:
        completed = subprocess.run(
            [programs(home) / name, *arguments],
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
