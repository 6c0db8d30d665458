"""Programs that run as another user of this machine, who has none of the stack's secrets.

Tests that run as root become `nobody`. Others cannot change users: they run the same program
without the secrets, so what only the system's permissions would stop is not tried.
"""

import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
IDENTITY: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if IS_ROOT else {}


@cache
def python_for_all() -> str:
    """Return an interpreter that `nobody` can run: root's own may lie in a closed folder."""
    candidates = [os.path.realpath(sys.executable), shutil.which("python3", path=os.defpath)]
    for candidate in filter(None, candidates):
        with suppress(OSError):
            ran = subprocess.run([candidate, "-I", "-c", ""], cwd="/", check=False, **IDENTITY)
            if ran.returncode == 0:
                return candidate
    pytest.skip("`nobody` cannot run Python here; `apt-get install python3`")


def as_stranger(
    attack: Callable[[Any], Any], argument: Any, *, files: tuple[Path, ...] = ()
) -> Any:
    """Return what a function returns when a stranger calls it; it may use the standard library.

    The files are open for it, as /proc/self/fd/3 and so on: their folders may be closed to others.
    """
    source = inspect.getsource(attack)
    program = (
        f"import json, sys\nfrom typing import Any\n{source}\n"
        f"print(json.dumps({attack.__name__}(json.load(sys.stdin))))"
    )
    descriptors = [os.open(file, os.O_RDONLY) for file in files]
    try:
        done = subprocess.run(
            [python_for_all(), "-I", "-c", program],
            input=json.dumps({"argument": argument, "files": descriptors}),
            env={"PATH": os.defpath, "HOME": "/nonexistent"},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            pass_fds=descriptors,
            **IDENTITY,
        )
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
