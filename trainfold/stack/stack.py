"""The local stack of one home directory: what `trainfold up`, `down` and `status` do."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from operations.tidying import remove_cached_results, rotate_logs
from trainfold.stack.console import ConsoleServer
from trainfold.stack.errors import StackError
from trainfold.stack.home import (
    ensure_credentials,
    home_lock,
    prepare_home,
    temporary_directory,
)
from trainfold.stack.options import Options
from trainfold.stack.postgres import PostgresServer
from trainfold.stack.prefect import PrefectServer, prefect_home
from trainfold.stack.seaweedfs import SeaweedServer
from trainfold.stack.server import Server
from trainfold.stack.services import BACKING_SERVICES, Service, ServiceStatus, StackState

_SERVERS: dict[Service, type[Server]] = {
    Service.POSTGRES: PostgresServer,
    Service.S3: SeaweedServer,
    Service.PREFECT: PrefectServer,
    Service.CONSOLE: ConsoleServer,
}


def _server_class(service: Service) -> type[Server]:
    if service is Service.WORKER:
        # It imports httpx, which commands that only need the database go without.
        from trainfold.stack.worker import WorkerServer  # noqa: PLC0415

        return WorkerServer
    return _SERVERS[service]


class Stack:
    def __init__(self, home: Path, options: Options | None = None) -> None:
        self._home = home.expanduser().resolve()
        self._options = options or Options()
        self._state = StackState(self._home)

    def up(
        self, services: Iterable[Service] = tuple(Service), *, say: Callable[[str], None]
    ) -> None:
        """Start the services that do not run; when one fails, the others stay up."""
        wanted = set(services)
        self._options.require_protection()
        prepare_home(self._home)
        with home_lock(self._home):
            ensure_credentials(self._home)
            rotate_logs(self._home / "logs")
            remove_cached_results(prefect_home(self._home) / "storage")
            started = self._start_missing([s for s in BACKING_SERVICES if s in wanted], say=say)
            if Service.WORKER in wanted:
                if Service.PREFECT in started:
                    # A worker that runs would go on polling the server's old address.
                    self._server(Service.WORKER).stop()
                self._start_missing([Service.WORKER], say=say)
            console_runs = self._runs(Service.CONSOLE)
            if console_runs and started:
                # The console read the addresses of the others when it started.
                self._server(Service.CONSOLE).stop()
            if console_runs or Service.CONSOLE in wanted:
                self._start_missing([Service.CONSOLE], say=say)

    def down(
        self, services: Iterable[Service] = tuple(Service), *, say: Callable[[str], None]
    ) -> None:
        """Stop the services that run, the last started first."""
        wanted = set(services)
        if not self._home.exists():
            return
        with home_lock(self._home):
            for service in reversed(Service):
                if service in wanted and self._server(service).stop():
                    say(f"{service.label} stopped")
            if not any(self._state.process(service) for service in Service):
                shutil.rmtree(temporary_directory(self._home), ignore_errors=True)

    def status(self) -> list[ServiceStatus]:
        """Return how each service is now, read without waiting for the lock."""
        return [self._state.status(service) for service in Service]

    def _start_missing(
        self, services: Iterable[Service], *, say: Callable[[str], None]
    ) -> list[Service]:
        """Start the services that do not run, all at once; return which they were."""
        missing = [service for service in services if not self._runs(service)]
        for service in missing:
            say(f"Starting {service.label} …")
        self._start_together([self._server(service) for service in missing])
        for service in missing:
            say(f"{service.label} runs at {self._state.address(service)}")
        return missing

    def _server(self, service: Service) -> Server:
        return _server_class(service)(self._home, self._options, self._state)

    def _runs(self, service: Service) -> bool:
        return self._state.ready_process(service) is not None

    def _start_together(self, servers: Sequence[Server]) -> None:
        with ThreadPoolExecutor(max_workers=len(Service)) as executor:
            starts: list[Future[None]] = []
            try:
                starts.extend(executor.submit(server.start) for server in servers)
                wait(starts)
            except BaseException:
                # Interrupted: what was being started is stopped, ready or not. A wait for a server
                # ends at once when its process is gone; one that was only just being launched has
                # no process yet, so it is stopped afterwards.
                for _ in range(2):
                    _stop_all(servers)
                    wait(starts)
                raise
        errors = [error for start in starts if (error := start.exception()) is not None]
        if errors:
            _raise_together(errors)


def _stop_all(servers: Sequence[Server]) -> None:
    for server in servers:
        server.stop()


def _raise_together(errors: Sequence[BaseException]) -> None:
    """Raise one StackError with all messages, or the first error of another kind."""
    unexpected = next((error for error in errors if not isinstance(error, StackError)), None)
    if unexpected is not None:
        raise unexpected
    advice = "What else runs stays up. Correct the cause, then run `trainfold up` again."
    raise StackError("\n".join([*map(str, errors), advice])) from errors[0]
