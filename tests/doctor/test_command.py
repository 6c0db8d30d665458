"""The command on the local stack: a line for each check, a document, and the exit code."""

import pytest
from sqlalchemy import Engine

from tests.commands import run
from trainfold.cli.exits import Exit


@pytest.fixture
def local_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing says where Prefect is, as for a person: other tests of the session set it."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


@pytest.mark.usefixtures("local_prefect")
def test_the_local_stack_is_sound_but_for_what_does_not_run(engine: Engine):
    ran = run("doctor", "--json")
    checks = {check["check"]: check for check in ran.json["checks"]}
    assert {"stack.disk", "database.rows", "store.links", "store.binding"} <= checks.keys()
    unsound = [name for name, check in checks.items() if check["state"] != "ok"]
    assert [name for name in unsound if name.startswith(("database.", "store."))] == []
    # The session has no worker.
    assert checks["stack.worker"]["finding"] == "service-stopped"
    failed = any(check["state"] == "failed" for check in checks.values())
    assert ran.json["sound"] is not failed
    assert ran.code == (Exit.BLOCKED if failed else Exit.DONE)


@pytest.mark.usefixtures("local_prefect")
def test_people_get_a_line_for_each_check_and_what_to_do(engine: Engine):
    ran = run("doctor")
    assert "database.reachable" in ran.out
    assert "`trainfold up` starts it." in ran.out
    assert "See docs/doctor.md." in ran.err


def test_a_database_that_is_away_is_a_finding_and_not_the_end(engine: Engine, monkeypatch):
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    ran = run("doctor", "--json")
    found = [check["finding"] for check in ran.json["checks"] if check["state"] == "failed"]
    assert ran.code == Exit.BLOCKED
    assert "database-unreachable" in found
    assert "store.links" in {check["check"] for check in ran.json["checks"]}


def test_fix_sql_names_the_role_that_may_be_missing(engine: Engine, monkeypatch):
    url = engine.url.set(username="nobody", password="x-x-x")
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", url.render_as_string(hide_password=False))
    ran = run("doctor", "--fix-sql")
    assert all(line.startswith("-- ") for line in ran.out.splitlines())
    assert "CREATE ROLE trainfold LOGIN" in ran.out
    assert "No statement is missing" not in ran.out
    assert "x-x-x" not in ran.out + ran.err


def test_fix_sql_says_when_there_is_none(engine: Engine):
    assert run("doctor", "--fix-sql").out == "-- No statement is missing.\n"
