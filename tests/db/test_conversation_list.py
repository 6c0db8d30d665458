from uuid import uuid4

from db.conversation_list import conversation_rows, list_conversations
from db.engine import reading
from tests.asking import carry_out, request
from tests.conftest import Library


def test_rows_come_in_the_order_asked_for_without_those_that_are_gone(engine, library: Library):
    ids = library.add_many(3)
    with reading(engine) as connection:
        rows = conversation_rows(connection, [ids[2], uuid4(), ids[0], ids[1]])
        assert conversation_rows(connection, []) == []
    assert [row.conversation_id for row in rows] == [ids[2], ids[0], ids[1]]


def test_a_row_has_its_batches_as_it_joined_them_and_its_files_by_name(engine, library: Library):
    id = library.add()
    names = ["second", "first", "third"]
    batches = [library.batch(id, name=name) for name in names]
    for name in ("Summer", "Autumn"):
        carry_out(request(name, [id], new=True))
    with reading(engine) as connection:
        (row,) = conversation_rows(connection, [id])
    assert [(batch.id, batch.name) for batch in row.batches] == list(
        zip(batches, names, strict=True)
    )
    assert [(file.name, file.since) for file in row.training_files] == [
        ("Autumn", 1),
        ("Summer", 1),
    ]


def test_a_listing_has_the_first_of_its_order_with_empty_fields_last(engine, library: Library):
    old = library.add(created_at="2026-01-01", quality_score=4)
    new = library.add(created_at="2026-03-01", quality_score=3)
    plain = library.add(created_at="2026-02-01")
    first, second = library.batch(new), library.batch(old)
    # The batch that was joined first sorts, whichever id comes first.
    library.batch(new, old)
    by_batch = [new, old] if first < second else [old, new]
    with reading(engine) as connection:

        def listed(**options):
            return [row.conversation_id for row in list_conversations(connection, **options)]

        assert listed() == listed(sort="created") == [new, plain, old]
        assert listed(sort="quality") == [old, new, plain]
        assert listed(sort="batch") == [*by_batch, plain]
        assert listed(sort="quality", limit=2) == [old, new]


def test_a_listing_is_of_a_batch_or_a_status(engine, library: Library):
    waiting = library.add(enrichment_status="enriched")
    done = library.add()
    batch = library.batch(done, waiting)
    library.add()
    with reading(engine) as connection:

        def listed(**options):
            return {row.conversation_id for row in list_conversations(connection, **options)}

        assert listed(batch_id=batch) == {waiting, done}
        assert listed(status="enriched") == {waiting}
        assert listed(batch_id=batch, status="completed") == {done}
        assert listed(batch_id=uuid4()) == set()
