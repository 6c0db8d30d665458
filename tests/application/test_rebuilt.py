"""The rebuilt application has the pitfalls that trainfold must live with."""

import psycopg
import pytest

from tests.application.conftest import BATCHES, OWNER, TRAINFOLD, Conversation, NewApplication


def test_a_dedicated_role_sees_empty_tables_until_a_policy_lets_it_read(
    new_project: NewApplication, conversations: list[Conversation]
) -> None:
    project = new_project()
    project.create_tables()
    project.insert(conversations)
    project.run_sql("GRANT SELECT ON public.conversations TO trainfold")
    with psycopg.connect(project.url()) as through_pooler:
        assert through_pooler.execute("SELECT count(*) FROM public.conversations").fetchone() == (
            0,
        )
    with project.connect(OWNER) as connection:
        sizes = connection.execute(
            "SELECT j.name, count(c.id) FROM public.batch_jobs j"
            " JOIN public.batch_items i ON i.batch_job_id = j.id"
            " JOIN public.conversations c ON c.id = i.conversation_id GROUP BY j.name"
        ).fetchall()
    assert dict(sizes) == BATCHES


def test_the_pooler_refuses_start_up_options_and_unencrypted_clients(
    new_project: NewApplication,
) -> None:
    url = new_project().url(TRAINFOLD)
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        psycopg.connect(url + "&options=-csearch_path%3Dtrainfold")
    with pytest.raises(psycopg.OperationalError, match="SSL required"):
        psycopg.connect(url.replace("sslmode=require", "sslmode=disable"))
