"""What each kind of server tells the stack about itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import psutil

from trainfold.stack.options import Options
from trainfold.stack.services import Service


def log_of(home: Path, service: Service) -> Path:
    return home / "logs" / f"{service}.log"


class Server(ABC):
    """One service of one home directory."""

    service: ClassVar[Service]
    port_count: ClassVar[int] = 1

    def __init__(self, home: Path, options: Options) -> None:
        self.home = home
        self.options = options
        self.log = log_of(home, self.service)

    @abstractmethod
    def launch(self, ports: Sequence[int]) -> psutil.Process:
        """Start the server on these ports; when that fails, leave no process behind."""

    @abstractmethod
    def await_ready(self, process: psutil.Process, ports: Sequence[int]) -> None:
        """Return when clients can use it; raise StackError when that does not come about."""

    @abstractmethod
    def stop(self, process: psutil.Process) -> None:
        """Return when the process has ended."""

    @abstractmethod
    def address(self, ports: Sequence[int]) -> str:
        """A URL to show to people, without any secret."""

    @abstractmethod
    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        """What the application's settings need to connect; secrets included."""
