"""What a command imports: Prefect and boto3 take seconds, so only those that need them pay."""

import json
import os
import subprocess
import sys

from tests.asking import carry_out, request
from tests.conftest import HOME, Library

HEAVY = {"prefect", "boto3", "botocore", "dask"}
# One process runs them all, as starting one takes longer than most of them.
ASK = """
import contextlib, io, json, sys
from trainfold.cli.main import main
found = []
for arguments in json.load(sys.stdin):
    sys.argv = ["trainfold", *arguments]
    code = 0
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
        except SystemExit as end:
            code = end.code
    found.append((code or 0, sorted({name.partition(".")[0] for name in sys.modules})))
json.dump(found, sys.stdout)
"""


def imported_by(*commands: list[str]) -> list[set[str]]:
    """What had been imported after each: the commands run in one process, one after another."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        check=False,
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        env=os.environ | {"TRAINFOLD_HOME": str(HOME)},
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [code for code, _ in answers] == [0] * len(commands), done.stderr
    return [set(names) for _, names in answers]


def test_help_imports_neither_prefect_nor_boto3():
    commands = [
        ["--help"],
        *([name, "--help"] for name in ("add", "submit", "rebuild", "up", "doctor")),
    ]
    for command, names in zip(commands, imported_by(*commands), strict=True):
        assert not HEAVY & names, command


def test_what_needs_no_prefect_does_not_import_it(engine, library: Library):
    carry_out(request("Talks", [library.add()], new=True))
    commands = [
        ["files"],
        ["conversations"],
        ["show", "Talks"],
        ["versions", "Talks"],
        ["check", "Talks", str(library.add())],
        ["verify", "Talks"],
        ["url", "Talks", "--format", "json"],
        ["maintain"],
        ["status"],
    ]
    for command, names in zip(commands, imported_by(*commands), strict=True):
        assert "prefect" not in names, command
