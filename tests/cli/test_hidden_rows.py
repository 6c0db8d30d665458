"""A role that row level security shows nothing is told so, wherever a list or the gate is empty."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from operations import resources
from tests.commands import Run
from tests.conftest import Library
from tests.console.conftest import Visit, served
from trainfold.cli.exits import Exit

ROLE = "blind_role"
HIDDEN = "Row level security hides all rows of trainfold.conversations"
REMEDY = (
    f"CREATE POLICY trainfold_reads ON trainfold.conversations FOR SELECT TO {ROLE} USING (true);"
)


def as_owner(sql: str) -> None:
    with resources.engine().begin() as connection:
        connection.execute(text(sql))


@pytest.fixture
def blind(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Commands use a role that may select everything and is shown batches alone."""
    owner = resources.engine()
    library.batch(*library.add_many(2), name="spring")
    as_owner(
        f"CREATE ROLE {ROLE} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA trainfold TO {ROLE};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA trainfold TO {ROLE};"
        f"CREATE POLICY see ON trainfold.batch_jobs TO {ROLE} USING (true)"
    )
    url = owner.url.set(username=ROLE, password="x").render_as_string(hide_password=False)
    with monkeypatch.context() as patch:
        patch.setenv("TRAINFOLD_DATABASE_URL", url)
        yield ROLE
    resources.engine().dispose()
    resources.forget()
    as_owner(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


def test_an_empty_list_says_that_the_rows_are_hidden_and_from_whom(blind: str, trainfold: Run):
    ran = trainfold("conversations")
    assert ran.code == 0
    assert HIDDEN in ran.err
    assert f"from the role “{ROLE}”" in ran.err
    assert REMEDY in ran.err
    assert "trainfold import" not in ran.out + ran.err
    as_json = trainfold("conversations", "--json")
    assert as_json.json == []
    assert HIDDEN in as_json.err


def test_the_gate_says_so_instead_of_calling_every_conversation_unknown(
    blind: str, library: Library, trainfold: Run
):
    ran = trainfold("check", "A", "--new", *library.files, "--json")
    assert ran.code == Exit.UNREACHABLE
    assert HIDDEN in ran.json["error"]["message"]


def test_a_batch_without_visible_items_says_so(blind: str, trainfold: Run):
    ran = trainfold("check", "A", "--new", "--batch", "spring")
    assert "hides all rows of trainfold.conversations and trainfold.batch_items" in ran.err
    assert trainfold("check", "A", "--batch", "autumn").code == Exit.NOT_FOUND


def test_the_console_says_so_on_its_empty_page(blind: str):
    resources.forget()
    with served() as address:
        visit = Visit(address)
        with visit.client:
            assert HIDDEN in visit.entered().page("/conversations").text


def test_the_policies_that_are_named_show_the_rows(blind: str, library: Library, trainfold: Run):
    sql = trainfold("conversations").err.partition("tables: ")[2]
    with library.engine.begin() as connection:
        connection.execute(text(sql))
    ran = trainfold("conversations")
    assert "spring" in ran.out
    assert "hides" not in ran.err


def test_an_empty_database_and_filters_without_matches_say_nothing_of_the_kind(
    library: Library, trainfold: Run
):
    assert "trainfold import PATH" in trainfold("conversations").out
    library.add()
    ran = trainfold("conversations", "--status", "validated")
    assert "hides" not in ran.out + ran.err
