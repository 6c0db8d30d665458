from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, text

from db.engine import reading
from db.schemas import source_tables
from domain.errors import Blocked
from operations.admission import gate
from tests.asking import carry_out, request
from tests.conftest import Library


def codes(engine: Engine, asked) -> dict[str | None, list[str]]:
    with reading(engine) as connection, pytest.raises(Blocked) as caught:
        gate(connection, asked)
    found: dict[str | None, list[str]] = {}
    for reason in caught.value.reasons:
        found.setdefault(reason.conversation_id, []).append(reason.code)
    return found


def test_eligible_conversations_pass_in_the_order_of_the_request(engine, library: Library):
    ids = library.add_many(5)
    with reading(engine) as connection:
        admission = gate(connection, request("A", ids[::-1], new=True))
    assert [each.conversation_id for each in admission.conversations] == ids[::-1]
    assert admission.training_file is None


def test_the_gate_asks_the_database_once(engine, library: Library):
    asked = request("A", library.add_many(80), new=True)
    statements = []
    with reading(engine) as connection:
        source_tables(connection)  # read once a minute, for all requests
        event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
        gate(connection, asked)
    assert len(statements) == 1


def test_every_reason_is_given_at_once_among_80_that_qualify(engine, library: Library):
    held = library.add()
    carry_out(request("A", [held], new=True))
    unknown = uuid4()
    wrong_status = library.add(enrichment_status="enriched")
    no_path = library.add(enriched_file_path=None)
    climbing = library.add(enriched_file_path="../other-bucket/x.json")
    twofold = library.add(enrichment_status="not_started", enriched_file_path=None)
    good = library.add_many(73)
    ids = [*good[:40], unknown, wrong_status, no_path, climbing, twofold, *good[40:], held, good[3]]
    assert len(ids) == 80
    assert codes(engine, request("A", ids)) == {
        str(unknown): ["unknown-conversation"],
        str(wrong_status): ["not-completed"],
        str(no_path): ["no-enriched-file"],
        str(climbing): ["unsafe-path"],
        str(twofold): ["not-completed", "no-enriched-file"],
        str(held): ["already-member"],
        str(good[3]): ["repeated-in-request"],
    }


def test_a_member_is_named_with_the_version_that_added_it(engine, library: Library):
    first, second = library.add_many(2)
    carry_out(request("A", [first], new=True))
    carry_out(request("A", [second]))
    with reading(engine) as connection, pytest.raises(Blocked, match="since version 2"):
        gate(connection, request("A", [second]))


def test_81_conversations_are_blocked_without_a_query(engine, library: Library):
    asked = request("A", [uuid4() for _ in range(81)], new=True)
    with pytest.raises(Blocked, match="81 conversations"):
        gate(None, asked)  # type: ignore[arg-type]


def test_a_taken_name_blocks_a_new_file_whatever_its_case(engine, library: Library):
    first, second = library.add_many(2)
    carry_out(request("Spring Talks", [first], new=True))
    assert codes(engine, request("  spring  TALKS ", [second], new=True)) == {None: ["name-taken"]}


def test_a_missing_file_blocks_unless_it_is_asked_for_as_new(engine, library: Library):
    assert codes(engine, request("Nowhere", [library.add()])) == {None: ["no-such-file"]}


def test_an_archived_file_takes_nothing(engine, library: Library):
    first, second = library.add_many(2)
    carry_out(request("A", [first], new=True))
    with engine.begin() as connection:
        connection.execute(text("UPDATE trainfold.training_files SET status = 'archived'"))
    assert codes(engine, request("A", [second])) == {None: ["file-not-active"]}


def test_the_batch_is_the_earliest_that_holds_the_conversation(engine, library: Library):
    id = library.add()
    earliest = library.batch(id)
    library.batch(id)
    with reading(engine) as connection:
        admission = gate(connection, request("A", [id, library.add()], new=True))
    assert [each.batch_id for each in admission.conversations] == [earliest, None]


def test_nothing_is_written_by_the_gate(engine, library: Library):
    with reading(engine) as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        gate(connection, request("A", [library.add()], new=True))


def test_the_gate_reads_no_large_table_row_by_row(engine, library: Library):
    ids = library.add_many(3)
    with engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO trainfold.conversations (conversation_id, enrichment_status)
                SELECT gen_random_uuid(), 'completed' FROM generate_series(1, 30000);
                INSERT INTO trainfold.batch_jobs (id)
                VALUES ('00000000-0000-4000-8000-000000000001');
                INSERT INTO trainfold.batch_items (batch_job_id, conversation_id)
                SELECT '00000000-0000-4000-8000-000000000001', conversation_id
                FROM trainfold.conversations;
                ANALYZE trainfold.conversations; ANALYZE trainfold.batch_items
            """)
        )
    plans = []

    def explain(connection, cursor, statement, parameters, *_):
        cursor.execute("EXPLAIN " + statement, parameters)
        plans.append("\n".join(row[0] for row in cursor.fetchall()))

    with reading(engine) as connection:
        source_tables(connection)
        event.listen(engine, "before_cursor_execute", explain, once=True)
        gate(connection, request("A", ids, new=True))
    assert "Seq Scan on conversations" not in plans[0]
    assert "Seq Scan on batch_items" not in plans[0]
