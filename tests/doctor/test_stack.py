"""Each fault of the local stack is made, and is the only finding."""

import json
import signal
import socket
from pathlib import Path

import psutil
import pytest

from tests.conftest import HOME
from tests.doctor.checks import findings
from trainfold.stack import Service, Stack
from trainfold.stack.diagnosis import check_stack

USED = {Service.POSTGRES, Service.S3}


def test_a_sound_stack_has_no_finding(stack: Stack):
    checks = list(check_stack(HOME, USED))
    assert findings(checks) == []
    assert [check.name for check in checks] == ["stack.disk", "stack.postgresql", "stack.s3"]


def test_a_disk_that_is_nearly_full_is_named(stack: Stack):
    assert findings(check_stack(HOME, USED, min_free_bytes=10**18)) == ["disk-low"]


def test_what_does_not_run_is_named_and_nothing_is_started(tmp_path: Path):
    home = tmp_path / "home"
    checks = list(check_stack(home, {Service.S3, Service.WORKER}))
    assert findings(checks) == ["service-stopped", "service-stopped"]
    assert [check.outcome for check in checks] == ["ok", "failed", "warning"]
    assert not home.exists()


def test_a_port_that_another_program_took_is_named(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = {Service.PREFECT: [taken.getsockname()[1]]}
        (tmp_path / "ports.json").write_text(json.dumps(ports))
        assert findings(check_stack(tmp_path, {Service.PREFECT})) == ["port-taken"]


@pytest.mark.parametrize("service", [Service.S3])
def test_a_service_that_runs_and_does_not_answer_is_named(stack: Stack, service: Service):
    (pid,) = [status.pid for status in stack.status() if status.service is service]
    process = psutil.Process(pid)
    process.send_signal(signal.SIGSTOP)
    try:
        assert findings(check_stack(HOME, USED)) == ["service-unhealthy"]
    finally:
        process.send_signal(signal.SIGCONT)
