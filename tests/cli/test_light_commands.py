"""Which modules a command may not import: each takes longer than the command itself."""

import pytest

from tests.asking import carry_out, request
from tests.cli.test_start_up import imported_by
from tests.conftest import Library
from trainfold.cli.commands import COMMANDS, loaded

SERVICES = {"prefect", "boto3", "botocore", "alembic", "httpx"}
DATABASE = {"sqlalchemy", "psycopg", "pydantic"}


def test_help_imports_no_command():
    assert not (SERVICES | DATABASE) & imported_by(["--help"])[0]
    assert not (SERVICES | DATABASE) & imported_by(["--version"])[0]


@pytest.mark.parametrize(
    "words",
    [
        ["files"],
        ["conversations"],
        ["check", "Light", "ID"],
        ["show", "Light"],
        ["versions", "Light"],
        ["log", "Light"],
    ],
    ids=lambda words: words[0],
)
def test_a_light_command_imports_no_service_but_the_database(words, engine, library: Library):
    carry_out(request("Light", [library.add()], new=True))
    words = [str(library.add()) if word == "ID" else word for word in words]
    (names,) = imported_by(words)
    assert not SERVICES & names


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_help_says_of_a_command_what_the_command_says(entry):
    command = loaded(entry)
    assert entry.name in {command.name, "api-token", "batch"}
    assert " ".join(command.help.split("\n\n")[0].split()).startswith(entry.summary)
