"""What a command imports: Prefect and boto3 take seconds, so only those that need them pay."""

import os
import subprocess
import sys

import pytest

from tests.asking import carry_out, request
from tests.conftest import HOME, Library

ASK = """
import sys
from trainfold.cli.main import main
sys.argv[0] = "trainfold"
try:
    main()
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"TRAINFOLD_HOME": str(HOME)},
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("command", ["", "add", "submit", "rebuild", "up"])
def test_help_imports_neither_prefect_nor_boto3(command):
    arguments = [command, "--help"] if command else ["--help"]
    assert not {"prefect", "boto3", "dask"} & imported_by(*arguments)


@pytest.mark.parametrize(
    "command",
    [
        ["files"],
        ["conversations"],
        ["show", "Talks"],
        ["versions", "Talks"],
        ["check", "Talks", "{id}"],
        ["verify", "Talks"],
        ["url", "Talks", "--format", "json"],
        ["maintain"],
        ["status"],
    ],
    ids=lambda command: command[0],
)
def test_what_needs_no_prefect_does_not_import_it(engine, library: Library, command):
    carry_out(request("Talks", [library.add()], new=True))
    id = library.add()
    arguments = [each.format(id=id) for each in command]
    assert "prefect" not in imported_by(*arguments)
