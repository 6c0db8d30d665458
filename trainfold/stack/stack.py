"""The local stack of one home directory: what `trainfold up`, `down` and `status` do."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from trainfold.stack import lifecycle
from trainfold.stack.console import Console
from trainfold.stack.credentials import ensure_credentials
from trainfold.stack.errors import StackError
from trainfold.stack.home import home_lock, prepare_home
from trainfold.stack.options import Options
from trainfold.stack.postgres import PostgresServer
from trainfold.stack.prefect_server import PrefectServer
from trainfold.stack.seaweedfs import SeaweedServer
from trainfold.stack.server import Server, log_of
from trainfold.stack.services import SERVERS, Service, ServiceStatus
from trainfold.stack.state import StackState
from trainfold.stack.worker import Worker

_SERVERS: dict[Service, type[Server]] = {
    Service.POSTGRES: PostgresServer,
    Service.S3: SeaweedServer,
    Service.PREFECT: PrefectServer,
    Service.WORKER: Worker,
    Service.CONSOLE: Console,
}


class Stack:
    def __init__(self, home: Path, options: Options | None = None) -> None:
        self._home = home.expanduser().resolve()
        self._options = options or Options()
        self._state = StackState(self._home)

    def up(
        self, services: Iterable[Service] = tuple(Service), *, say: Callable[[str], None]
    ) -> None:
        """Start what does not run; when a service fails, the others stay up."""
        wanted = set(services)
        self._options.require_protection()
        prepare_home(self._home)
        with home_lock(self._home):
            ensure_credentials(self._home)
            started = self._start_missing([each for each in SERVERS if each in wanted], say=say)
            if Service.WORKER in wanted:
                if Service.PREFECT in started:
                    # It would go on asking the address that the server had before.
                    lifecycle.stop(self._server(Service.WORKER), self._state)
                self._start_missing([Service.WORKER], say=say)
            console_runs = self._runs(Service.CONSOLE)
            if console_runs and started:
                # It read their addresses when it started.
                lifecycle.stop(self._server(Service.CONSOLE), self._state)
            if console_runs or Service.CONSOLE in wanted:
                self._start_missing([Service.CONSOLE], say=say)

    def down(
        self, services: Iterable[Service] = tuple(Service), *, say: Callable[[str], None]
    ) -> None:
        """Stop what runs, the last started first."""
        wanted = set(services)
        if not self._home.exists():
            return
        with home_lock(self._home):
            for service in [each for each in reversed(Service) if each in wanted]:
                if lifecycle.stop(self._server(service), self._state):
                    say(f"{service.label} stopped")

    def status(self) -> list[ServiceStatus]:
        """How each service is now; it reads only, and waits for nobody."""
        return [self._status(service) for service in Service]

    def _start_missing(
        self, services: Iterable[Service], *, say: Callable[[str], None]
    ) -> list[Service]:
        """Start those of the services that do not run, all at once; say which they were."""
        missing = [each for each in services if not self._runs(each)]
        for service in missing:
            say(f"Starting {service.label} …")
        self._start_together([self._server(each) for each in missing])
        for service in missing:
            say(f"{service.label} runs at {self._state.address(service)}")
        return missing

    def _server(self, service: Service) -> Server:
        return _SERVERS[service](self._home, self._options)

    def _runs(self, service: Service) -> bool:
        return self._state.ready_process(service) is not None

    def _status(self, service: Service) -> ServiceStatus:
        process = self._state.ready_process(service)
        return ServiceStatus(
            service=service,
            running=process is not None,
            address=self._state.address(service) if process else None,
            pid=process.pid if process else None,
            log=log_of(self._home, service),
        )

    def _start_together(self, servers: Sequence[Server]) -> None:
        with ThreadPoolExecutor(max_workers=len(Service)) as executor:
            starts = [executor.submit(lifecycle.start, each, self._state) for each in servers]
            try:
                wait(starts)
            except BaseException:
                # Interrupted. Without its process each start fails at once.
                self._stop_unready(servers)
                raise
        errors = [error for start in starts if (error := start.exception()) is not None]
        if errors:
            _raise_together(errors)

    def _stop_unready(self, servers: Sequence[Server]) -> None:
        for server in servers:
            if not self._runs(server.service):
                lifecycle.stop(server, self._state)


def _raise_together(errors: Sequence[BaseException]) -> None:
    unexpected = next((error for error in errors if not isinstance(error, StackError)), None)
    if unexpected is not None:
        raise unexpected
    advice = "What else runs stays up. Correct the cause, then run `trainfold up` again."
    raise StackError("\n".join([*map(str, errors), advice])) from errors[0]
