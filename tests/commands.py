"""Runs the command against the session's services.

What imports or starts Prefect, or becomes the console, runs in a process of its own, the rest here,
because starting a process takes longer than those commands do. The README's session, and what
is imported when, are tested by processes.
"""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from operations import resources
from trainfold.cli.main import main

COMMAND = Path(sys.executable).with_name("trainfold")
IN_THIS_PROCESS = {
    "api-token",
    "archive",
    "batch",
    "check",
    "conversations",
    "diff",
    "delete",
    "download",
    "export",
    "exports",
    "files",
    "fitness",
    "import",
    "remove",
    "rollback",
    "show",
    "tag",
    "untag",
    "keep",
    "log",
    "rename",
    "unarchive",
    "url",
    "verify",
    "versions",
}


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


def run(*arguments: object, stdin: str | None = None) -> Ran:
    """Run the command in the current folder, in this process where that is quicker."""
    words = [str(argument) for argument in arguments]
    way = run_here if IN_THIS_PROCESS.intersection(words[:1]) else _as_people_do
    return way(words, stdin)


def _as_people_do(words: list[str], stdin: str | None) -> Ran:
    done = subprocess.run(
        [COMMAND, *words], input=stdin, capture_output=True, text=True, timeout=180, check=False
    )
    assert "Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def run_here(words: list[str], stdin: str | None = None) -> Ran:
    """Run the command in the current folder and in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    resources.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["trainfold", *words])
        patch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as end,
        ):
            main()
    resources.forget()
    code = end.value.code
    assert code is None or isinstance(code, int)
    return Ran(code or 0, _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
