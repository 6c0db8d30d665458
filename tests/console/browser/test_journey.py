"""The whole journey, on the whole stack."""

import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import orjson
from playwright.sync_api import expect

from db.engine import reading
from db.versions import find_version, members
from operations import resources
from tests.asking import carry_out, content_of, request
from tests.conftest import Library
from tests.console.browser.conftest import Curator, Visiting

ROOT = Path(__file__).parents[3]


def trainfold(*arguments: object) -> None:
    command = [Path(sys.executable).with_name("trainfold"), *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)


def held_by(name: str) -> list[UUID]:
    with reading(resources.engine()) as connection:
        version = find_version(connection, name)
        return [each.conversation_id for each in members(connection, version)]


def test_from_an_empty_console_to_a_second_version(curator: Curator):
    page = curator.open("/training-files")
    expect(page.get_by_text("There is no training file yet")).to_be_visible()
    expect(curator.open("/").get_by_text("There is no conversation yet.")).to_be_visible()

    trainfold("import", "samples/spring-batch", "--batch", "spring-batch")
    trainfold("import", "samples/summer-batch", "--batch", "summer-batch")
    curator.open("/conversations")
    expect(page.locator("tbody tr")).to_have_count(8)
    curator.filter("Batch ID", "spring-batch")
    expect(page).to_have_url(re.compile(r"batch=[0-9a-f-]{36}"))
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_role("button", name="Select this page").click()
    curator.counts(5)

    curator.create("Spring talks", "What the spring taught")
    run = page.url
    curator.is_done(1)
    expect(page.locator(".steps .done")).to_have_count(5)
    expect(page.locator("#progress dl")).to_contain_text(re.compile(r"Training pairs\s*25"))

    saved = {}
    for format in ("JSON", "JSONL"):
        with page.expect_download() as started:
            page.get_by_role("link", name=re.compile(rf"Download {format}\b")).click()
        assert started.value.suggested_filename == f"Spring talks-v1.{format.lower()}"
        saved[format] = Path(started.value.path()).read_bytes()
    with reading(resources.engine()) as connection:
        version = find_version(connection, "Spring talks")
    assert (saved["JSON"], saved["JSONL"]) == content_of(version)
    full = orjson.loads(saved["JSON"])
    assert [len(each["training_pairs"]) for each in full["conversations"]]
    meta, *lines = map(orjson.loads, saved["JSONL"].splitlines())
    assert (len(full["conversations"]), meta["_meta"]["total_pairs"], len(lines)) == (5, 12, 12)

    # The address holds: a reload sees the same.
    page.reload()
    curator.is_done(1)
    add_the_summer(curator)
    assert page.url != run
    look_at_the_file(curator)
    expect(page).to_have_url(run)


def add_the_summer(curator: Curator) -> None:
    page = curator.open("/conversations")
    curator.counts(0)
    curator.filter("Not yet in", "Spring talks")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("button", name="Select this page").click()
    curator.add_to("Spring talks")
    curator.is_done(2)
    expect(page.locator("#progress dl")).to_contain_text(re.compile(r"Conversations\s*8"))


def look_at_the_file(curator: Curator) -> None:
    """From the list to the file's page, and on to its first run."""
    page = curator.open("/training-files")
    row = page.locator("tbody tr")
    expect(row).to_contain_text("What the spring taught")
    row.get_by_text("Download").click()
    with page.expect_download() as started:
        row.get_by_role("link", name=re.compile("^JSONL")).click()
    assert started.value.suggested_filename == "Spring talks-v2.jsonl"
    page.get_by_role("link", name="Spring talks").click()
    expect(page.locator("#version-1")).to_contain_text("create")
    expect(page.locator("#version-2")).to_contain_text("add")
    runs = page.get_by_role("table", name=re.compile("^Runs that touched"))
    expect(runs.locator("tbody tr")).to_have_count(2)
    runs.get_by_role("link").last.click()


def test_a_selection_holds_across_pages_sorts_and_filters(curator: Curator, library: Library):
    ids = library.add_many(30)
    library.batch(*ids[:4], name="a few")
    page = curator.open("/conversations?size=25")
    first = [each.get_attribute("value") for each in page.locator("input[name=picked]").all()]
    curator.pick(*first[:3])
    curator.counts(3)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Page 2 of 2", exact=True)).to_be_visible()
    second = page.locator("input[name=picked]").first.get_attribute("value")
    curator.pick(second)
    curator.counts(4)
    page.get_by_role("button", name="Batch ID").click()
    expect(page.locator("th.batch")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Batch ID").click()
    expect(page.locator("th.batch")).to_have_attribute("aria-sort", "descending")
    curator.filter("Batch ID", "a few")
    curator.counts(4)
    page.get_by_role("link", name="Reset").click()
    curator.counts(4)
    curator.open("/conversations?size=100")
    ticked = page.locator("input[name=picked]:checked").all()
    assert {each.get_attribute("value") for each in ticked} == {*first[:3], second}


def test_a_tick_beyond_eighty_is_taken_back_with_words(curator: Curator, library: Library):
    ids = library.add_many(82)
    page = curator.open("/conversations?size=100")
    page.get_by_role("button", name="Select this page").click()
    curator.counts(80)
    expect(page.get_by_text("At most 80 conversations can be selected.")).to_be_visible()
    left = next(id for id in ids if not page.locator(f"#pick-{id}").is_checked())
    page.locator(f"#pick-{left}").click()
    expect(page.locator("#picked")).to_contain_text("Take others out first.")
    expect(page.locator(f"#pick-{left}")).not_to_be_checked()
    taken = next(id for id in ids if page.locator(f"#pick-{id}").is_checked())
    page.locator(f"#pick-{taken}").uncheck()
    curator.counts(79)
    curator.pick(left)
    curator.counts(80)


def test_what_blocks_is_shown_and_can_be_left_out(curator: Curator, library: Library):
    member, changed, fine, broken = library.add(), library.add(), library.add(), library.add()
    carry_out(request("Blocked here", [member], new=True))
    page = curator.open("/conversations")
    curator.pick(member, changed, fine, broken)
    curator.counts(4)
    with resources.engine().begin() as connection:
        connection.exec_driver_sql(
            "UPDATE trainfold.conversations SET enrichment_status = 'enriched' "
            "WHERE conversation_id = %s",
            (changed,),
        )
    library.store.put(f"tests/{broken}.json", b"{}", content_type="application/json")
    curator.choose("Blocked here")
    blocks = page.get_by_role("table", name="What blocks, and why")
    expect(blocks).to_contain_text("It is in this training file since version 1.")
    expect(blocks).to_contain_text("Its enrichment is “enriched”, not “completed”.")
    # What only the file itself tells comes when it has been read.
    expect(blocks).to_contain_text(str(broken)[:8])
    expect(page.get_by_role("button", name="Add 4 conversations")).to_be_disabled()
    page.get_by_role("button", name="Select the 1 that is free").click()
    expect(page.locator("#contents")).to_contain_text("Nothing blocks.")
    page.get_by_role("button", name="Add 1 conversation").click()
    curator.is_done(2)
    assert held_by("Blocked here") == [member, fine]


def test_a_name_that_is_taken_is_told_and_what_was_typed_stays(curator: Curator, library: Library):
    one, two = library.add_many(2)
    carry_out(request("Taken", [one], new=True))
    page = curator.open("/conversations")
    curator.pick(two)
    curator.counts(1)
    curator.choose("Create new training file")
    page.get_by_label("Name").fill("taken")
    page.get_by_label("Description").fill("My words")
    page.get_by_role("button", name="Create with 1 conversation").click()
    expect(page.get_by_text("A training file “Taken” exists already")).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("My words")
    page.get_by_label("Name").fill("Free")
    page.get_by_role("button", name="Create with 1 conversation").click()
    curator.is_done(1)
    assert held_by("Free") == [two]


def test_a_double_click_is_one_run_and_one_version(curator: Curator, library: Library):
    page = curator.open("/conversations")
    page.reload()
    ids = library.add_many(2)
    page.reload()
    curator.pick(*ids)
    curator.counts(2)
    curator.choose("Create new training file")
    page.get_by_label("Name").fill("Doubled")
    # As a hand does it; and as impatience does it, past the page's own guard.
    form = page.locator("#add").evaluate("form => Object.fromEntries(new FormData(form))")
    button = page.get_by_role("button", name=re.compile("^Create with"))
    button.dblclick(no_wait_after=True)
    page.wait_for_url("**/runs/*")
    for _ in range(2):
        sent = {**form, "name": "Doubled"}
        answer = page.request.post(f"{curator.address}/add", form=sent, max_redirects=0)
        assert answer.headers["location"] == page.url.removeprefix(curator.address)
    curator.is_done(1)
    answer = page.request.post(f"{curator.address}/add", form=sent, max_redirects=0)
    assert answer.headers["location"] == page.url.removeprefix(curator.address)
    curator.open("/training-files/Doubled")
    runs = page.get_by_role("table", name=re.compile("^Runs that touched"))
    expect(runs.locator("tbody tr")).to_have_count(1)
    expect(page.locator("[id^=version-]")).to_have_count(1)


def test_two_people_add_to_one_file_at_once(visiting: Visiting, library: Library):
    first, *mine = library.add_many(3)
    theirs = library.add_many(2)
    carry_out(request("Shared", [first], new=True))
    people = [(visiting(), mine), (visiting(), theirs)]
    for person, ids in people:
        person.open("/conversations")
        person.pick(*ids)
        person.counts(2)
        person.choose("Shared")
        expect(person.page.locator("#contents")).to_contain_text("Nothing blocks.")
    for person, _ in people:
        person.page.get_by_role("button", name="Add 2 conversations").click(no_wait_after=True)
    for person, _ in people:
        person.page.wait_for_url("**/runs/*")
        expect(person.page.get_by_role("link", name="Download JSONL")).to_be_visible(timeout=90_000)
    assert set(held_by("Shared")) == {first, *mine, *theirs}
    assert len(held_by("Shared")) == 5


def test_a_run_that_is_blocked_says_why_and_gives_the_selection_back(
    curator: Curator, library: Library
):
    one, two = library.add_many(2)
    carry_out(request("Raced", [library.add()], new=True))
    page = curator.open("/conversations")
    curator.pick(one, two)
    curator.counts(2)
    curator.choose("Raced")
    expect(page.locator("#contents")).to_contain_text("Nothing blocks.")
    # Submitted while it was still possible; somebody else is faster than the worker.
    page.get_by_role("button", name="Add 2 conversations").click(no_wait_after=True)
    page.wait_for_url("**/runs/*")
    carry_out(request("Raced", [one]))
    expect(page.locator("#progress")).to_contain_text(
        re.compile("It is in this training file since version 2|Version"), timeout=90_000
    )
    page.get_by_role("button", name="Select all 2 again").click()
    curator.counts(2)
