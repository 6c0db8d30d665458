"""How a server of the stack is started and stopped."""

from collections.abc import Sequence

import psutil

from trainfold.stack.errors import StackError
from trainfold.stack.ports import are_free, choose_ports
from trainfold.stack.server import Server
from trainfold.stack.state import StackState

_ATTEMPTS = 3


def start(server: Server, state: StackState) -> None:
    """Start a server that is not ready; on other ports when somebody takes the chosen ones."""
    stop(server, state)
    for attempt in range(1, _ATTEMPTS + 1):
        ports = choose_ports(state.last_ports(server.service), count=server.port_count)
        try:
            _start_on(server, state, ports)
        except (StackError, OSError) as error:
            if attempt == _ATTEMPTS or are_free(ports):
                raise StackError(f"{server.service.label} did not start. {error}") from error
        else:
            return


def _start_on(server: Server, state: StackState, ports: Sequence[int]) -> None:
    process = server.launch(ports)
    try:
        state.record_launch(server, process, ports)
        server.await_ready(process, ports)
        state.record_ready(server, ports)
    except (StackError, psutil.Error, OSError) as error:
        stop_process(server, state, process)
        raise StackError(str(error)) from error


def stop(server: Server, state: StackState) -> bool:
    """Stop a server, ready or not; say whether there was a process to stop."""
    process = state.process(server.service)
    if process is None:
        state.forget(server.service)
        return False
    stop_process(server, state, process)
    return True


def stop_process(server: Server, state: StackState, process: psutil.Process) -> None:
    server.stop(process)
    state.forget(server.service)
