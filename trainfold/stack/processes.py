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
    """Start a process in a session of its own, with its output appended to the log."""
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
    """Return the environment without the variables of these prefixes.

    They are the user's settings for a program that gets all it needs from us.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def find(pid: int, *, create_time: float) -> psutil.Process | None:
    """Return the live process with this pid if it is the one that started at that time."""
    try:
        process = psutil.Process(pid)
        drift = abs(process.create_time() - create_time)
    except psutil.Error:
        return None
    return process if drift <= _CREATE_TIME_TOLERANCE_SECONDS and is_alive(process) else None


def environment_values(variable: str) -> set[str]:
    """Return the values of a variable of the environment in all processes that may be looked at."""
    processes = (process for process in psutil.process_iter() if is_alive(process))
    environments = []
    for process in processes:
        with suppress(psutil.Error):
            environments.append(process.environ())
    return {each[variable] for each in environments if variable in each}


def is_alive(process: psutil.Process) -> bool:
    """Return whether the process runs; an exited child that nobody waited for does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def listens(process: psutil.Process, *ports: int) -> bool:
    """Return whether this very process listens on the ports: a stranger could answer there."""
    listening = {
        connection.laddr.port
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    return listening.issuperset(ports)


def wait_until(
    ready: Callable[[], bool], *, process: psutil.Process, timeout: timedelta, log: Path
) -> None:
    """Poll until ready; raise StackError if the process ends first, or the time runs out."""
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
    """Terminate the process; kill it and its children when the grace period is over."""
    tree = [process]
    with suppress(psutil.NoSuchProcess):
        tree += process.children(recursive=True)
        process.terminate()
    _wait_gone([process], timeout=grace)
    for member in tree:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    _wait_gone(tree, timeout=_KILL_TIMEOUT)


def _wait_gone(processes: Sequence[psutil.Process], *, timeout: timedelta) -> None:
    # Not psutil.wait_procs: it waits for zombies, too, which a container's init may never reap.
    deadline = time.monotonic() + timeout.total_seconds()
    while any(map(is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def tail(log: Path) -> str:
    """Return the last lines of a log and where it is, as the end of an error message."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n".join([f"The end of its log, {log}:", *(f"  {line}" for line in lines)])
