"""The conversations page without scripts."""

import random
import time
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from console.pages import conversations as pages
from db import conversation_search, search_terms
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import Page, Visit

NAMES = '{"training_topic": {"name": "%s"}, "persona": {"name": "%s"}}'


def test_nothing_there_says_how_conversations_come(console: Visit):
    page = console.page("/conversations")
    assert "There is no conversation yet." in page.text
    assert "0 / 80 selected" in page.text


def test_a_row_shows_title_words_quality_and_every_batch(console: Visit, library: Library):
    id = library.add(
        persona_key="anxious_planner",
        quality_score=4.25,
        tier="production",
        scaffolding_snapshot=NAMES % ("First Budget", "Ines Duarte"),
    )
    first, second = library.batch(id, name="spring"), library.batch(id, name="summer")
    page = console.page("/conversations")
    assert f'data-copy="{id}"' in page.html
    for text in (
        "First Budget",
        "Ines Duarte",
        str(id)[:8],
        "anxious planner",
        "production",
        "4.25",
    ):
        assert text in page.text
    assert page.text.index(f"spring {str(first)[:8]}") < page.text.index(
        f"summer {str(second)[:8]}"
    )


def test_a_row_that_cannot_be_added_says_why_and_cannot_be_ticked(console: Visit, library: Library):
    library.add(enrichment_status="enriched", enriched_file_path=None)
    page = console.page("/conversations")
    assert "Cannot be added. Its enrichment is “enriched”, not “completed”." in page.text
    assert "It has no enriched file." in page.text
    assert "picked" not in page.fields


def test_a_member_says_which_file_holds_it(console: Visit, library: Library):
    carry_out(request("Held", [library.add()], new=True))
    assert "In Held since version 1" in console.page("/conversations").text


def ids_on(page: Page) -> list[str]:
    return page.fields["shown"][0].split()


def test_every_filter_narrows_and_lives_in_the_address(console: Visit, library: Library):
    wanted = library.add(
        persona_key="p_one", emotional_arc_key="a_one", topic_key="t_one",
        scaffolding_snapshot=NAMES % ("Pension", "Kofi"), tier="production", quality_score=4.5,
        created_at="2026-03-02 23:59:59.5+00",
    )  # fmt: skip
    held = library.add(persona_key="p_two", emotional_arc_key="a_two", topic_key="t_two")
    library.add(enrichment_status="validated")
    batch = library.batch(wanted, name="autumn")
    carry_out(request("Holds", [held], new=True))
    for query in (
        f"batch={batch}", "persona=p_one", "arc=a_one", "topic=t_one", "text=PENSION",
        "text=kofi", "text=t+one", "text=autumn", f"text={wanted}", f"text={str(wanted)[:8]}",
        "status=completed&not_in=Holds", "text=kofi+pension+p_one", f"text={str(batch)[:13]}",
        "tier=production", "quality_min=4.5&quality_max=4.50", "quality_max=9", "batch=autumn",
        "created_from=2026-03-02&created_until=2026-03-02",
    ):  # fmt: skip
        assert ids_on(console.page(f"/conversations?{query}")) == [str(wanted)], query
    assert len(ids_on(console.page("/conversations?status=validated"))) == 1
    assert ids_on(console.page("/conversations?text=%25")) == []
    fields = {"do": "filter", "text": "kofi", "persona": "p_one", "size": "25", "sort": "created"}
    answer = console.post("/conversations", fields)
    assert answer.headers["location"] == "/conversations?text=kofi&persona=p_one&size=25"


def test_a_word_of_large_batches_finds_their_conversations(
    console: Visit, library: Library, monkeypatch
):
    monkeypatch.setattr(search_terms, "MAX_NAMED", 1)
    wanted = {str(id) for id in library.add_many(3)}
    library.batch(*wanted, name="autumn_talks")
    library.add()
    assert set(ids_on(console.page("/conversations?text=autumn+talks"))) == wanted
    assert ids_on(console.page("/conversations?text=autumn+zebra")) == []


def test_ids_are_found_by_their_beginning_alone(console: Visit, library: Library):
    id = library.add()
    batch = library.batch(id, name="autumn")
    for beginning in (str(id)[:6], str(batch)[:6]):
        assert ids_on(console.page(f"/conversations?text={beginning}")) == [str(id)]
    for middle in (str(id)[-6:], str(batch)[-6:]):
        assert ids_on(console.page(f"/conversations?text={middle}")) == []


def test_counts_and_pages_end_where_they_say(console: Visit, library: Library, monkeypatch):
    library.add_many(60)
    monkeypatch.setattr(conversation_search, "MAX_REACHABLE", 50)
    monkeypatch.setattr(pages, "MAX_REACHABLE", 50)
    page = console.page("/conversations?page=2")
    assert len(ids_on(page)) == 50
    for text in ("more than 50 in all", "Page 1 of 1", "Pages reach the first 50."):
        assert text in page.text
    assert "more than 50 match" in console.page("/conversations?status=completed").text
    console.post("/conversations", {"do": "pick-all", "at": "status=completed"})
    page = console.page("/conversations")
    assert "50 / 80 selected" in page.text
    assert "Only the first 50 were considered; narrow the filters for others." in page.text


def test_filters_offer_what_has_come_since(console: Visit, library: Library):
    assert "late bird" not in console.page("/conversations").text
    library.add(persona_key="late_bird")
    # PostgreSQL reports what was written ten seconds late at the latest.
    deadline = time.monotonic() + 30
    while not ids_on(console.page("/conversations?text=late+bird")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert '<option value="late_bird"' in console.get("/conversations").text


def test_an_address_that_is_not_understood_still_opens(console: Visit, library: Library):
    library.add()
    for query in ("sort=x", "size=7", "page=0", "page=x", "page=999999", "text=%00", "dir=up",
                  "nonsense=x"):  # fmt: skip
        assert len(ids_on(console.page(f"/conversations?{query}"))) == 1, query


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("batch=zzz", "There is no batch “zzz”."),
        ("batch=0f7a6c1e-5b0d-4a55-9d5e-1c2b3a4d5e6f", "There is no batch “"),
        ("batch=%00", "There is no batch “\ufffd”."),
        ("batch=two", "Several batches are named “two”; give the Batch ID."),
        ("not_in=nothing", "There is no training file “nothing”."),
        ("status=x%22%3E", 'No conversation has the enrichment “x">”.'),
        ("persona=שלום", "No conversation has the persona “שלום”."),
        ("arc=" + "a" * 5000, "No conversation has the arc “aaa"),
        ("topic=%00", "No conversation has the topic “\ufffd”."),
        ("tier=gold", "No conversation has the tier “gold”."),
        ("quality_min=high", "Quality min: “high” is no number."),
        ("quality_max=NaN", "Quality max: “NaN” is no number."),
        ("quality_min=-1", "Quality min: “-1” is no number."),
        ("quality_min=٣", "Quality min: “٣” is no number."),
        ("created_from=2026-13-01", "Created from: “2026-13-01” is no day."),
        ("created_until=%00", "Created until: “\ufffd” is no day."),
        ("text=" + "x" * 5000, "The text has 5,000 characters; at most 200."),
    ],
)
def test_a_filter_that_names_nothing_says_so_and_shows_and_selects_no_row(
    console: Visit, library: Library, query: str, words: str
):
    library.batch(library.add(), name="two")
    library.batch(library.add(), name="two")
    page = console.page(f"/conversations?{query}")
    assert words in page.text
    assert ids_on(page) == []
    console.post("/conversations", {"do": "pick-all", "at": query})
    assert "0 / 80 selected" in console.page("/conversations").text


def test_a_batch_is_found_by_its_name_and_a_new_word_before_it_is_known(
    console: Visit, library: Library
):
    assert "No conversation has the persona" in console.page("/conversations?persona=late").text
    id = library.add(persona_key="late")
    library.batch(id, name="spring 2")
    library.add()
    for query in ("persona=late", "batch=spring+2"):
        assert ids_on(console.page(f"/conversations?{query}")) == [str(id)], query


def test_no_address_makes_the_page_fail(console: Visit, library: Library):
    library.batch(library.add(), name="100%_\\")
    values = ("'", "\\", "%", "_", "\0", "💥", "-" * 40, "DEAD-BEEF", "f" * 32, "0" * 33, "a " * 99,
              "İſ", "{}", "{a,b}", "NULL", "1e9", "-1", "9" * 11, "..", "desc")  # fmt: skip
    keys = ("text", "batch", "status", "persona", "arc", "topic", "not_in", "sort", "dir", "size",
            "page")  # fmt: skip
    chance = random.Random(5)
    for _ in range(150):
        asked = {key: chance.choice(values) for key in chance.sample(keys, 3)}
        assert console.get("/conversations", params=asked).status_code == 200, asked
    assert len(ids_on(console.page("/conversations?text=100%25_%5C"))) == 1


def test_every_column_sorts_both_ways_with_empty_fields_last(
    console: Visit, library: Library, engine: Engine
):
    low = library.add(
        persona_key="a", emotional_arc_key="a", topic_key="a", tier="a", quality_score=1,
        enrichment_status="completed", created_at="2026-01-01",
        scaffolding_snapshot=NAMES % ("A", ""),
    )  # fmt: skip
    high = library.add(
        persona_key="b", emotional_arc_key="b", topic_key="b", tier="b", quality_score=2,
        enrichment_status="validated", created_at="2026-01-02",
        scaffolding_snapshot=NAMES % ("B", ""),
    )  # fmt: skip
    first, second = sorted([library.batch(name="x"), library.batch(name="y")])
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO trainfold.batch_items (batch_job_id, conversation_id) "
            "VALUES (%s, %s), (%s, %s), (%s, %s)",
            (first, low, second, low, second, high),
        )
    for column in (
        "title",
        "persona",
        "arc",
        "topic",
        "tier",
        "quality",
        "status",
        "batch",
        "created",
    ):
        address = f"/conversations?sort={column}&dir="
        assert ids_on(console.page(address + "asc")) == [str(low), str(high)], column
        assert ids_on(console.page(address + "desc")) == [str(high), str(low)], column
    empty = library.add(created_at="2025-01-01")
    for column in ("title", "persona", "arc", "topic", "tier", "quality", "batch"):
        for way in ("asc", "desc"):
            ids = ids_on(console.page(f"/conversations?sort={column}&dir={way}"))
            assert ids[-1] == str(empty), (column, way)
            assert len(ids) == 3


def test_pages_hold_every_conversation_once_in_every_order(console: Visit, engine: Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO trainfold.conversations (conversation_id, topic_key, quality_score) "
            "SELECT gen_random_uuid(), CASE WHEN mod(n, 3) > 0 THEN 't' || mod(n, 5) END, "
            "CASE WHEN mod(n, 7) > 0 "
            "THEN mod(n, 4) END FROM generate_series(1, 130) n"
        )
        connection.exec_driver_sql(
            "INSERT INTO trainfold.batch_jobs (id) "
            "SELECT gen_random_uuid() FROM generate_series(1, 3)"
        )
        connection.exec_driver_sql(
            "INSERT INTO trainfold.batch_items (batch_job_id, conversation_id) "
            "SELECT j.id, c.conversation_id FROM trainfold.batch_jobs j, trainfold.conversations c "
            "WHERE c.quality_score > 0"
        )
    for query in ("sort=topic", "sort=topic&dir=asc", "sort=quality", "sort=batch",
                  "sort=batch&text=t",
                  "sort=title", "sort=topic&text=t1"):  # fmt: skip
        pages = [
            ids_on(console.page(f"/conversations?size=25&{query}&page={n}")) for n in range(1, 7)
        ]
        seen = [id for page in pages for id in page]
        total = (
            int(console.page(f"/conversations?size=25&{query}").text.split(" match")[0].split()[-1])
            if "text" in query
            else 130
        )
        assert len(set(seen[:total])) == total, query


def test_ticks_survive_paging_sorting_and_filtering(console: Visit, library: Library):
    ids = [str(id) for id in library.add_many(30)]
    page = console.page("/conversations?size=25")
    shown = ids_on(page)
    at = page.fields["at"][0]
    answer = console.post(
        "/conversations", {"do": "page:2", "at": at, "shown": " ".join(shown), "picked": shown[:3]}
    )
    assert answer.headers["location"] == "/conversations?size=25&page=2"
    second = ids_on(console.page("/conversations?size=25&page=2"))
    assert set(shown) | set(second) == set(ids)
    console.post(
        "/conversations",
        {
            "do": "sort:quality",
            "at": "size=25&page=2",
            "shown": " ".join(second),
            "picked": second[:2],
        },
    )
    console.post(
        "/conversations", {"do": "filter", "status": "completed", "shown": "", "picked": []}
    )
    assert "5 / 80 selected" in console.page("/conversations").text
    # A tick that is taken away on a page that shows it is gone; others stay.
    console.post("/conversations", {"do": "page:1", "shown": " ".join(shown), "picked": shown[:1]})
    assert "3 / 80 selected" in console.page("/conversations").text
    console.post("/conversations", {"do": "clear"})
    assert "0 / 80 selected" in console.page("/conversations").text


def test_all_that_match_are_selected_up_to_the_limit(console: Visit, engine: Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO trainfold.conversations "
            "(conversation_id, enrichment_status, enriched_file_path, topic_key) "
            "SELECT gen_random_uuid(), "
            "CASE WHEN mod(n, 2) = 0 THEN 'completed' ELSE 'enriched' END, 'a/b.json', "
            "CASE WHEN n <= 20 THEN 'few' ELSE 'many' END FROM generate_series(1, 220) n"
        )
    console.post("/conversations", {"do": "pick-all", "at": "topic=few"})
    page = console.page("/conversations?topic=few")
    assert "10 / 80 selected" in page.text
    assert "10 cannot be added and were left out; their rows show why." in page.text
    assert "left out" not in console.page("/conversations").text
    console.post("/conversations", {"do": "pick-all", "at": "topic=many"})
    page = console.page("/conversations")
    assert "80 / 80 selected" in page.text
    assert "At most 80 conversations can be selected. More match" in page.text


def test_a_tick_beyond_the_limit_is_taken_back_in_words(console: Visit, library: Library):
    ids = [str(uuid4()) for _ in range(81)]
    fields = {"shown": " ".join(ids), "picked": ids}
    answer = console.post("/conversations", {"do": "pick"} | fields)
    assert "80</strong> / 80 selected" in answer.text
    assert "At most 80 conversations can be selected. Take others out first." in answer.text
    assert f'id="pick-{ids[80]}"' in answer.text
    assert f'id="pick-{ids[79]}"' not in answer.text
    console.post("/conversations", {"do": "page:1"} | fields)
    assert "1 more were not selected" in console.page("/conversations").text


def test_the_header_of_the_sorted_column_says_so(console: Visit, library: Library):
    library.add()
    assert (
        'class="batch" aria-sort="ascending"'
        in console.get("/conversations?sort=batch&dir=asc").text
    )
    answer = console.post("/conversations", {"do": "sort:batch", "at": "sort=batch&dir=asc&page=3"})
    assert answer.headers["location"] == "/conversations?sort=batch"


def test_the_button_says_how_many_are_added_and_offers_the_newest_files(
    console: Visit, library: Library
):
    ids = library.add_many(3)
    carry_out(request("Older", [ids[0]], new=True))
    carry_out(request("Newer", [ids[0]], new=True))
    assert "Tick conversations first" in console.page("/conversations").text
    fields = {"do": "pick", "shown": f"{ids[1]} {ids[2]}", "picked": [str(ids[1]), str(ids[2])]}
    html = console.post("/conversations", fields).text
    assert "Add 2 to …" in html
    assert html.index('value="add:Newer"') < html.index('value="add:Older"')
    answer = console.post("/conversations", {"do": "add:Older", "at": "sort=quality"})
    assert answer.headers["location"] == "/add?to=Older&at=sort%3Dquality"
    page = console.page("/add?to=Older&at=sort%3Dquality")
    assert "Add 2 conversations to “Older”" in page.text
    assert "/conversations?sort=quality" in page.links


def test_files_are_searched_without_scripts_where_there_are_many(console: Visit, engine: Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(FILES)
    console.post("/conversations", {"do": "clear"})
    html = console.get("/conversations").text
    assert html.count('value="add:') <= 10
    assert len(html) < 100_000
    for action in ("choose", "filter"):
        answer = console.post("/conversations", {"do": action, "find": "FILE 12", "at": "topic=x"})
        assert answer.headers["location"] == "/add/to?find=FILE+12&at=topic%3Dx"
    page = console.page("/add/to?find=FILE+12&at=topic%3Dx")
    found = [link for link in page.links if link.startswith("/add?to=")]
    assert len(found) == 50
    assert all("to=File+12" in link and link.endswith("at=topic%3Dx") for link in found)
    assert "Page 1 of 3" in page.text
    for address in ("/choices/targets?find=", "/choices/files?not_in=", "/choices/batches?batch="):
        assert len(console.get(address + "fILE").text) < 10_000
        assert console.get(address + "%00%F0%9F%99%82'%25").status_code == 200
    assert "No active training file has such a name." in console.page("/add/to?find=zzz").text


FILES = """
    INSERT INTO trainfold.training_files (id, name, name_key, description, status,
        consultant_profile, current_version, created_at, created_by, updated_at)
    SELECT gen_random_uuid(), 'File ' || n, 'file ' || n, 'A file', 'active', '{}',
        1, now(), 'a test', now() FROM generate_series(1, 1299) AS n;
    INSERT INTO trainfold.training_file_versions (training_file_id, number, file_name, request_id,
        request_digest, reason, created_at, created_by, json_key, json_size_bytes, json_digest,
        json_content_start, json_content_end, jsonl_key, jsonl_size_bytes, jsonl_digest,
        jsonl_content_start, conversation_count, pair_count, example_count, statistics, warnings)
    SELECT id, 1, name, id::text, 'd', 'create', now(), 'a test', id || 'a', 1, 'd', 1, 1,
        id || 'b', 1, 'd', 1, 1, 1, 1,
        '{"conversations": 1, "pairs": 1, "examples": 1, "human_reviewed": 0, "quality_sum": "3",
          "quality_min": "3", "quality_max": "3", "personas": {"a": 1}, "emotional_arcs": {"a": 1},
          "training_topics": {"a": 1}, "tiers": {"production": 1}}', '[]'
    FROM trainfold.training_files;
"""


def test_the_list_of_files_is_searched_a_page_at_a_time(console: Visit, engine: Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(FILES)
    page = console.page("/training-files")
    assert "1,299 in all" in page.text
    assert "Page 1 of 26" in page.text
    assert len(page.html) < 250_000
    assert "111 match" in console.page("/training-files?find=fILE++12").text
    assert "File 1299" in console.page("/training-files?find=1299&page=7").text
    text = console.page("/training-files?find=%00'%F0%9F%99%82").text
    assert "No training file has such a name." in text


def test_columns_are_hidden_and_stay_hidden(console: Visit, library: Library):
    library.add(topic_key="a_topic")
    form = {"do": "filter", "columns": "chosen", "column": ["persona", "quality"], "text": "topic"}
    address = console.post("/conversations", form).headers["location"]
    assert address == "/conversations?text=topic&hide=arc%2Ctopic%2Ctier%2Cstatus%2Cbatch%2Ccreated"
    html = console.get(address).text
    assert 'data-label="Persona"' in html
    assert 'data-label="Topic"' not in html
    answer = console.post("/conversations", {"do": "sort:quality", "at": address.split("?")[1]})
    assert "hide=arc" in answer.headers["location"]
    assert console.get("/conversations?hide=title,%00,nonsense").status_code == 200
