"""A stack that trials may stop, freeze and damage: theirs alone, one trial at a time."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from operations.settings import Settings
from soak.local_stack import SERVICES, prepare
from soak.services import Services
from trainfold.stack import Service, Stack
from trainfold.stack.processes import is_alive

PREFECT = (Service.PREFECT, Service.WORKER, Service.CONSOLE)
KILL_SECONDS = 30.0
DATA_FOLDERS = {Service.POSTGRES: "postgresql", Service.S3: "s3"}


class OwnStack:
    """Started by the first trial that needs it; kept for those after it."""

    def __init__(self, wanted: Sequence[Service] = SERVICES) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._home: Path | None = None

    @contextmanager
    def taken(self) -> Iterator["OwnStack"]:
        """Hold the stack, with all its services up."""
        with self._lock:
            if self._home is None:
                self._home = Path(tempfile.mkdtemp(prefix="trainfold-own-"))
                self._home.chmod(0o711)
                self.up()
                prepare(self.services)
            self.up()
            yield self

    def close(self) -> None:
        if self._home is not None:
            self._stack.down(say=_silent)
            shutil.rmtree(self._home, ignore_errors=True)

    def up(self) -> None:
        self._stack.up(self._wanted, say=_silent)

    @property
    def services(self) -> Services:
        known = self.connections
        fields = {key: value for key, value in known.items() if key in Settings.model_fields}
        return Services.of(Settings(**fields))

    @property
    def connections(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads((self.home / "stack.json").read_text())
        return known

    @property
    def home(self) -> Path:
        if self._home is None:
            raise RuntimeError("The stack is not taken.")
        return self._home

    @property
    def _stack(self) -> Stack:
        return Stack(self.home)

    def processes(self, service: Service) -> list[psutil.Process]:
        """List the service's process and all below it."""
        pid = next(status.pid for status in self._stack.status() if status.service == service)
        if pid is None:
            return []
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]

    def kill(self, *services: Service) -> None:
        """Kill all processes of the services, as a machine that loses its power does."""
        victims = [process for service in services for process in self.processes(service)]
        _signal(victims, signal.SIGKILL)
        until = time.monotonic() + KILL_SECONDS
        while any(map(is_alive, victims)) and time.monotonic() < until:
            time.sleep(0.05)

    @contextmanager
    def frozen(self, *services: Service) -> Iterator[None]:
        """Stop the services' processes where they are, for as long as it lasts."""
        victims = [process for service in services for process in self.processes(service)]
        _signal(victims, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(victims, signal.SIGCONT)

    @contextmanager
    def saved(self, *services: Service) -> Iterator[Path]:
        """Keep a copy of the services' files as they are on disk now, everything synced."""
        os.sync()
        with tempfile.TemporaryDirectory(dir=self.home, prefix="saved-") as folder:
            for service in services:
                _copy(self.home / DATA_FOLDERS[service], Path(folder))
            yield Path(folder)

    def put_back(self, saved: Path, service: Service, *, keep: Sequence[str] = ()) -> None:
        """Replace a stopped service's files by the copy; `keep` stays as it is now."""
        folder = self.home / DATA_FOLDERS[service]
        with tempfile.TemporaryDirectory(dir=self.home, prefix="kept-") as kept:
            for name in keep:
                _copy(folder / name, Path(kept))
            shutil.rmtree(folder)
            _copy(saved / folder.name, self.home)
            for name in keep:
                shutil.rmtree(folder / name)
                _copy(Path(kept) / Path(name).name, (folder / name).parent)


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _copy(source: Path, into: Path) -> None:
    # With owners: as root, PostgreSQL's files belong to another user.
    subprocess.run(["cp", "-a", source, into], check=True, capture_output=True)


def _silent(text: str) -> None:
    """Drop what the stack says."""
