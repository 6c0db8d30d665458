"""PostgreSQL 18 on a loopback port, with a generated password."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from trainfold.stack import processes
from trainfold.stack.errors import StackError
from trainfold.stack.home import read_credentials
from trainfold.stack.loopback import LOOPBACK
from trainfold.stack.postgres_programs import (
    SUPERUSER,
    data_directory,
    ensure_data_directory,
    run_program,
)
from trainfold.stack.server import Server
from trainfold.stack.services import Service
from trainfold.stack.system_user import ensure_system_user

_DATABASE = "trainfold"
# The defaults suit spinning disks and long reports: tables that memory holds would be scanned
# whole, by parallel workers that take longer to start than our queries take to run.
_OPTIONS = "-c random_page_cost=1.1 -c max_parallel_workers_per_gather=0"
# The backends of a killed server hold its shared memory for a moment longer.
_SHARED_MEMORY_IN_USE = "pre-existing shared memory block"
_SHARED_MEMORY_ATTEMPTS = 20


class PostgresServer(Server):
    service = Service.POSTGRES

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        """Start the server; return when it accepts connections."""
        ensure_system_user()
        ensure_data_directory(self.home, log=self.log)
        self._clear_pid_file()
        try:
            self._start_postmaster(ports[0])
        except StackError:
            if (slow_starter := self._postmaster()) is not None:
                self.shut_down(slow_starter)
            raise
        process = self._postmaster()
        if process is None:
            raise StackError(f"Its process ended. {processes.tail(self.log)}")
        return process

    def await_ready(self, process: psutil.Process, ports: Sequence[int]) -> None:
        """Create the database at the first start; connecting also proves the password."""
        import psycopg  # noqa: PLC0415 - importing the stack must be quick

        url = f"postgresql://{self._authority(ports)}/postgres"
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                query = "select 1 from pg_database where datname = %s"
                if connection.execute(query, [_DATABASE]).fetchone() is None:
                    connection.execute(f"create database {_DATABASE}")
        except psycopg.Error as error:
            raise StackError(
                f"Process {process.pid} runs, but does not let us in: {error}\n"
                f"{processes.tail(self.log)}"
            ) from error

    def shut_down(self, process: psutil.Process) -> None:
        """Disconnect all clients and write everything to disk."""
        try:
            self._pg_ctl("stop", "-m", "fast")
        except StackError as error:
            if processes.is_alive(process):
                raise StackError(
                    f"PostgreSQL does not stop and still runs as process {process.pid}. {error}\n"
                    "Try again, or end that process with `kill -QUIT`."
                ) from error

    def address(self, ports: Sequence[int]) -> str:
        return f"postgresql://{LOOPBACK}:{ports[0]}/{_DATABASE}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        return {"database_url": f"postgresql+psycopg://{self._authority(ports)}/{_DATABASE}"}

    @property
    def _data(self) -> Path:
        return data_directory(self.home)

    def _authority(self, ports: Sequence[int]) -> str:
        password = read_credentials(self.home).database_password
        return f"{SUPERUSER}:{password}@{LOOPBACK}:{ports[0]}"

    def _start_postmaster(self, port: int) -> None:
        for attempt in range(1, _SHARED_MEMORY_ATTEMPTS + 1):
            try:
                self._pg_ctl("start", "-o", f"-p {port} {_OPTIONS}")
            except StackError as error:
                if attempt == _SHARED_MEMORY_ATTEMPTS or _SHARED_MEMORY_IN_USE not in str(error):
                    raise
                time.sleep(0.5)
            else:
                return

    def _pg_ctl(self, action: str, *options: str) -> None:
        common = ("-D", str(self._data), "-w", "-t", "60", "-s")
        run_program("pg_ctl", action, *common, *options, home=self.home, log=self.log)

    def _clear_pid_file(self) -> None:
        """Make way for a start.

        The caller holds the home's lock, so a server of this data directory that still runs is one
        that `stack.json` does not record.
        """
        if (unrecorded := self._postmaster()) is not None:
            self.shut_down(unrecorded)
        elif (pid := self._recorded_pid()) is not None and psutil.pid_exists(pid):
            # After a reboot the pid may be another program's, and PostgreSQL would refuse to start.
            (self._data / "postmaster.pid").unlink()

    def _postmaster(self) -> psutil.Process | None:
        """Return the server of this data directory, recognised by its working directory."""
        pid = self._recorded_pid()
        try:
            process = psutil.Process(pid) if pid is not None else None
            return process if process and Path(process.cwd()) == self._data else None
        except psutil.Error:
            return None

    def _recorded_pid(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
