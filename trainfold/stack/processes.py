"""Processes that outlive the command that starts them."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil

from trainfold.stack.errors import StackError

# Linux derives start times from a boot time in whole seconds, which can flicker by one.
_CREATE_TIME_TOLERANCE_SECONDS = 2.0
_POLL_SECONDS = 0.1
_KILL_TIMEOUT = timedelta(seconds=10)
_TAIL_LINES = 15
_TAIL_BYTES = 16_384


def spawn(
    command: Sequence[str | Path], *, log: Path, cwd: Path, env: Mapping[str, str]
) -> psutil.Process:
    """Start a process of its own session, which appends its output to the log."""
    with log.open("ab") as output:
        return psutil.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )


def environment_without(*prefixes: str) -> dict[str, str]:
    """The environment without the user's settings for a program that gets all it needs from us."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def find(pid: int, *, create_time: float) -> psutil.Process | None:
    """The live process with this pid, only if it is the one that started at that time."""
    try:
        process = psutil.Process(pid)
        drift = abs(process.create_time() - create_time)
    except psutil.Error:
        return None
    return process if drift <= _CREATE_TIME_TOLERANCE_SECONDS and is_alive(process) else None


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; an exited child that nobody waited for does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def listens(process: psutil.Process, port: int) -> bool:
    """Whether this very process listens on the port, so that no stranger answers for it."""
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in process.net_connections("tcp")
    )


def wait_until(
    ready: Callable[[], bool], *, process: psutil.Process, timeout: timedelta, log: Path
) -> None:
    """Poll until ready; raise StackError when the process ends first, or time runs out."""
    deadline = time.monotonic() + timeout.total_seconds()
    while is_alive(process):
        with suppress(psutil.NoSuchProcess):
            if ready():
                return
        if time.monotonic() > deadline:
            raise StackError(f"It was not ready after {timeout.total_seconds():.0f} s. {tail(log)}")
        time.sleep(_POLL_SECONDS)
    raise StackError(f"Its process ended. {tail(log)}")


def stop(process: psutil.Process, *, grace: timedelta) -> None:
    """Ask the process to end, and kill it and its children when the grace is over."""
    family = [process]
    with suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
        process.terminate()
    _wait_gone([process], timeout=grace)
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    _wait_gone(family, timeout=_KILL_TIMEOUT)


def _wait_gone(processes: Sequence[psutil.Process], *, timeout: timedelta) -> None:
    # Not psutil.wait_procs: it waits for zombies, too, which a container's init may never reap.
    deadline = time.monotonic() + timeout.total_seconds()
    while any(is_alive(each) for each in processes) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def tail(log: Path) -> str:
    """The last lines of a log and where it is, as the end of an error message."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n".join([f"The end of its log, {log}:", *(f"  {line}" for line in lines)])
