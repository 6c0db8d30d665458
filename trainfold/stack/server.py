"""How a server of the stack is started, found ready and stopped."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import psutil

from trainfold.stack import processes
from trainfold.stack.errors import StackError
from trainfold.stack.home import temporary_directory
from trainfold.stack.loopback import are_free, choose_ports
from trainfold.stack.options import Options
from trainfold.stack.services import Service, StackState, log_path

_ATTEMPTS = 3


class Server(ABC):
    """One service of one home directory."""

    service: ClassVar[Service]
    port_count: ClassVar[int] = 1

    def __init__(self, home: Path, options: Options, state: StackState) -> None:
        self.home = home
        self.options = options
        self.state = state
        self.log = log_path(home, self.service)

    def start(self) -> None:
        """Start a server that is not ready; retry on other ports if these are taken meanwhile."""
        self.stop()
        for attempt in range(1, _ATTEMPTS + 1):
            ports = choose_ports(
                self.state.last_ports(self.service), count=self.port_count, can_use=self.can_use
            )
            try:
                self._start_on(ports)
            except (StackError, OSError) as error:
                if attempt == _ATTEMPTS or self.can_use(ports):
                    raise StackError(f"{self.service.label} did not start. {error}") from error
            else:
                return

    def _start_on(self, ports: Sequence[int]) -> None:
        process = self.launch(ports)
        try:
            self.state.record_launch(self.service, process, ports, address=self.address(ports))
            self.await_ready(process, ports)
            self.state.record_ready(self.service, ports, connection=self.connection(ports))
        except (StackError, psutil.Error, OSError) as error:
            self._end(process)
            raise StackError(str(error)) from error

    def stop(self) -> bool:
        """Stop the server, ready or not; return whether there was a process to stop."""
        process = self.state.process(self.service)
        if process is None:
            self.state.forget(self.service)
            return False
        self._end(process)
        return True

    def _end(self, process: psutil.Process) -> None:
        self.shut_down(process)
        self.state.forget(self.service)

    def environment(self, *without: str) -> dict[str, str]:
        """Return the environment of the service: ours, without the variables of these prefixes."""
        own = {"TMPDIR": str(temporary_directory(self.home))}
        return processes.environment_without(*without) | own

    def can_use(self, ports: Sequence[int]) -> bool:
        """Return whether nothing of others is in the way of a start on these ports."""
        return are_free(ports)

    @abstractmethod
    def launch(self, ports: Sequence[int]) -> psutil.Process:
        """Start a process on these ports; leave none behind when that fails."""

    @abstractmethod
    def await_ready(self, process: psutil.Process, ports: Sequence[int]) -> None:
        """Return when clients can use the server; raise StackError if that does not happen."""

    @abstractmethod
    def shut_down(self, process: psutil.Process) -> None:
        """Return when the process has ended."""

    @abstractmethod
    def address(self, ports: Sequence[int]) -> str:
        """Return a URL to show to users, without any secret."""

    @abstractmethod
    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        """Return what the application's settings need to connect, secrets included."""


class PolledServer(Server):
    """A server that is polled until it is ready, and that ends on SIGTERM."""

    start_timeout: ClassVar[timedelta]
    stop_grace: ClassVar[timedelta]

    @abstractmethod
    def is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        """Return whether clients can use the server now."""

    def await_ready(self, process: psutil.Process, ports: Sequence[int]) -> None:
        processes.wait_until(
            lambda: self.is_ready(process, ports),
            process=process,
            timeout=self.start_timeout,
            log=self.log,
        )

    def shut_down(self, process: psutil.Process) -> None:
        processes.stop(process, grace=self.stop_grace)
