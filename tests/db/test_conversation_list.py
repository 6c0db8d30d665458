from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

from db.conversation_list import conversation_rows, list_conversations
from db.conversation_search import Filters, Order, find_page
from db.engine import reading
from db.search_terms import KnownKeys, KnownNames, SearchTerms
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

        def listed(**filters):
            rows = list_conversations(connection, Filters(**filters))
            return {row.conversation_id for row in rows}

        assert listed(batch_ids=[batch]) == {waiting, done}
        assert listed(status="enriched") == {waiting}
        assert listed(batch_ids=[batch], status="completed") == {done}
        assert listed(batch_ids=[uuid4()]) == set()


def finders(connection):
    """Both ways to find conversations: the command's listing, and pages of a search."""
    terms = SearchTerms(keys=KnownKeys(personas=(), arcs=(), topics=()), names=KnownNames())

    def listed(**filters) -> set[UUID]:
        rows = list_conversations(connection, Filters(**filters))
        page = find_page(connection, Filters(**filters), Order(), terms, limit=50)
        assert {row.conversation_id for row in rows} == set(page.ids)
        assert page.total == len(page.ids)
        return set(page.ids)

    return listed


def test_several_batches_are_a_union_that_lists_nobody_twice(engine, library: Library):
    one, both, other, neither = library.add_many(4)
    first, second = library.batch(one, both), library.batch(both, other)
    with reading(engine) as connection:
        found = finders(connection)
        assert found(batch_ids=[first, second]) == {one, both, other}
        assert found(batch_ids=[second, first, second, uuid4()]) == {one, both, other}
        assert found(batch_ids=[]) == {one, both, other, neither}


def test_a_range_of_quality_includes_its_ends_and_nobody_without_a_score(engine, library: Library):
    scores = ["3.49", "3.5", "4", "4.5", "4.51"]
    low, begin, middle, end, high = (library.add(quality_score=score) for score in scores)
    library.add(quality_score=None)
    with reading(engine) as connection:
        found = finders(connection)
        assert found(quality_at_least=Decimal("3.5"), quality_at_most=4.5) == {begin, middle, end}
        assert found(quality_at_least=4.5) == {end, high}
        assert found(quality_at_most=3.5) == {low, begin}
        assert found(quality_at_least=5, quality_at_most=1) == set()


def test_a_range_of_days_includes_both_days_whole_in_utc(engine, library: Library):
    times = [
        "2026-02-28T23:59:59.999999Z",
        "2026-03-01T00:00:00Z",
        "2026-03-02T23:59:59.999999Z",
        "2026-03-03T00:00:00Z",
    ]
    before, first, last, after = (library.add(created_at=time) for time in times)
    with reading(engine) as connection:
        found = finders(connection)
        days = {"created_from": date(2026, 3, 1), "created_until": date(2026, 3, 2)}
        assert found(**days) == {first, last}
        assert found(created_from=date(2026, 3, 3)) == {after}
        assert found(created_until=date(2026, 2, 28)) == {before}
        ends = {"created_from": date.min, "created_until": date.max}
        assert found(**ends) == {before, first, last, after}


def test_a_tier_is_found(engine, library: Library):
    seed = library.add(tier="seed_dataset")
    library.add(tier="rejected")
    with reading(engine) as connection:
        found = finders(connection)
        assert found(tier="seed_dataset") == {seed}
        assert found(tier="בלתי מוכר") == set()
