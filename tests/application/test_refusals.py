"""Roles, row level security and the pooler of an application end in words that help."""

import re

import pytest
from sqlalchemy import text

from db.engine import make_engine, reading
from domain.errors import AccessRefused, NotReady, TrainfoldError
from tests.application.conftest import Application, Conversation, NewApplication

GRANTS = """
    GRANT USAGE ON SCHEMA public TO trainfold;
    GRANT SELECT ON public.conversations, public.batch_jobs, public.batch_items TO trainfold;
"""


@pytest.fixture(scope="module")
def project(new_project: NewApplication, conversations: list[Conversation]) -> Application:
    """The application with its rows, which the dedicated role may select and cannot see."""
    project = new_project()
    project.create_tables()
    project.insert(conversations)
    project.run_sql(GRANTS)
    return project


def refused(url: str) -> TrainfoldError:
    engine = make_engine(url)
    with pytest.raises(TrainfoldError) as caught, reading(engine) as connection:
        connection.execute(text("SELECT 1"))
    assert len(str(caught.value).splitlines()) <= 3
    assert "p@ss" not in str(caught.value)
    return caught.value


def test_the_password_as_it_is_shown_by_a_host_is_explained(project: Application):
    url = f"postgresql://trainfold:p@ss#word/with?signs@127.0.0.1:5432/{project.database}"
    with pytest.raises(NotReady, match="percent-encode the password") as caught:
        make_engine(url)
    assert not re.search(r"p@ss|word/|signs", str(caught.value))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (("signs", "signz"), AccessRefused, "refuses the role “trainfold” or its password"),
        (("://trainfold:", "://stranger:"), AccessRefused, "the role “stranger”"),
        (("sslmode=require", "sslmode=disable"), AccessRefused, "SSL required.*sslmode=require"),
        (
            ("sslmode=require", "sslmode=verify-full&sslrootcert=system"),
            AccessRefused,
            "TLS.*sslrootcert",
        ),
        (
            ("sslmode=require", "sslmode=require&options=-csearch_path%3Dtrainfold"),
            NotReady,
            "takes no start-up parameters.*Leave `options` out",
        ),
        (("/project_", "/nowhere_"), NotReady, "no database “nowhere_"),
    ],
)
def test_what_the_pooler_refuses_is_said_with_its_remedy(
    project: Application, change: tuple[str, str], kind: type[TrainfoldError], words: str
):
    url = project.url()
    assert change[0] in url
    error = refused(url.replace(*change))
    assert re.search(words, str(error))
    assert type(error) is kind


def test_the_pooler_is_reached_by_the_address_that_guides_show(project: Application):
    engine = make_engine(f"{project.url()}&pgbouncer=true&connection_limit=1")
    with reading(engine) as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == "trainfold"
