"""Writer processes, forked in milliseconds from a server that has imported everything."""

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from soak.worker import READY, End, Job, RequestOutcome, work

DEADLINE_SECONDS = 120.0
"""Far longer than any request takes here; a request that exceeds it hangs."""
FLOW_FACTOR = 5
"""A flow run asks its server dozens of times, and several flows share one server with SQLite."""


class WriterProcess:
    """A process for one request, which can be killed as by `kill -9`."""

    def __init__(
        self, process: ForkServerProcess, line: "Connection[Any, Any]", *, deadline_seconds: float
    ) -> None:
        self._process = process
        self._line = line
        self._deadline_seconds = deadline_seconds
        self._killed = threading.Event()

    def go(self) -> None:
        """Start the request in the prepared process."""
        if self._line.recv() != READY:
            raise RuntimeError("The writer process did not report that it is ready.")
        self._line.send(None)
        self._started = time.monotonic()

    def kill(self) -> None:
        self._killed.set()
        self._process.kill()

    def freeze(self) -> None:
        """Stop it where it is, as a machine that is suspended."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self._process.pid) is not None:
            os.kill(pid, number)

    def runs(self) -> bool:
        """Tell whether the process is within the deadline and has not answered yet."""
        late = time.monotonic() > self._started + self._deadline_seconds
        return not late and not wait([self._line, self._process.sentinel], timeout=0)

    def outcome(self, *, kill_after_seconds: float | None = None) -> RequestOutcome:
        """Return how the request ended; kill it if it is over the deadline."""
        answer = None
        if kill_after_seconds is not None and (answer := self._answer(kill_after_seconds)) is None:
            self.kill()
        answer = answer or self._answer(self._deadline_seconds)
        if answer is None:
            self._process.kill()
            answer = RequestOutcome(
                End.HUNG, text=f"Killed, as it did not end within {self._deadline_seconds:.0f} s."
            )
        self._process.join()
        self._line.close()
        return answer

    def _answer(self, seconds: float) -> RequestOutcome | None:
        """Return how the request ended, or None if it still runs after that time."""
        left = self._started + seconds - time.monotonic()
        if not wait([self._line, self._process.sentinel], timeout=max(0.0, left)):
            return None
        try:
            answer: RequestOutcome = self._line.recv()
        except (EOFError, ConnectionError):
            end = End.KILLED if self._killed.is_set() else End.BROKEN
            return RequestOutcome(end, text=f"Exit code {self._process.exitcode}.")
        return answer


class Crew:
    def __init__(self, *, with_flows: bool = False) -> None:
        """With flows, workers have imported Prefect too, which takes seconds once."""
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        flows = ["soak.flow_runs"] if with_flows else []
        self._context.set_forkserver_preload(["soak.preload", *flows])

    def start(self, job: Job) -> WriterProcess:
        """Start a process that waits for `go`."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=work, args=(job, theirs), daemon=True)
        process.start()
        theirs.close()
        deadline = DEADLINE_SECONDS * (FLOW_FACTOR if job.as_flow else 1)
        return WriterProcess(process, ours, deadline_seconds=deadline)
