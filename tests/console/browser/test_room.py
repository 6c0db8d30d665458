"""Every page has room for content that nobody planned: none scrolls sideways on any screen."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, expect

from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.browser.conftest import Curator
from tests.console.conftest import served
from tests.console.test_conversations import FILES

LONG = "W" * 120
HEBREW = "שיחות על תקציב ראשון 🙂 עם אנשים שמחפשים ביטחון"
INSIDE = "e => [e.getBoundingClientRect()].every(r => r.left >= 0 && r.right <= innerWidth)"
WIDTHS = (1440, 1280, 390, 360)


@pytest.fixture
def ids(library: Library) -> list[UUID]:
    """Conversations with long names, in a file with a long name, among more than a thousand."""
    with library.engine.begin() as connection:
        connection.exec_driver_sql(FILES)
    ids = [uuid4() for _ in range(58)]
    for number, id in enumerate(ids):
        told = conversation(id)
        for pair in told["training_pairs"]:
            metadata = pair["conversation_metadata"]
            metadata["client_persona"] = LONG
            metadata["conversation_phase"] = f"{'x' * 50}{number}"
            pair["training_metadata"]["reviewer_notes"] = f"{HEBREW} {'y' * 400}"
        name = (LONG, HEBREW, "🙂" * 60)[number % 3]
        names = {"training_topic": {"name": name}, "persona": {"name": name}}
        library.add(
            id,
            data=as_bytes(told),
            scaffolding_snapshot=as_bytes(names).decode(),
            persona_key=LONG.lower(),
            emotional_arc_key="k" * 180,
            topic_key="t_" * 60,
            tier="production",
            quality_score=4.25,
        )
    library.batch(*ids, name=LONG)
    library.batch(*ids, name=HEBREW)
    library.add(enrichment_status="validation_failed", enriched_file_path=None)
    carry_out(request(LONG, ids, new=True, description=LONG, requested_by="n" * 100))
    carry_out(request(HEBREW, ids[:2], new=True))
    return ids


@pytest.fixture
def address(ids: list[UUID]) -> Iterator[str]:
    with served() as address:
        yield address


def paths(ids: list[UUID]) -> list[str]:
    return [
        "/conversations", "/conversations?size=100&sort=quality", f"/conversations?persona={LONG}",
        "/conversations?batch=zzz", f"/conversations?not_in={LONG}", f"/conversations/{ids[0]}",
        f"/conversations/{ids[2]}?at=&place=1", "/add?new=1&read=true", f"/add?to={LONG}&read=true",
        "/add/to", f"/add/to?find={LONG}", "/training-files", f"/training-files?find={LONG[:50]}",
        f"/training-files/{LONG}", f"/training-files/{HEBREW}", f"/training-files/{LONG}/log",
        f"/training-files/{LONG}/fitness", f"/training-files/{LONG}/compare?before=1", "/nowhere",
    ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways_and_no_menu_leaves_the_screen(
    chromium: Browser, address: str, ids: list[UUID], width: int
):
    context = chromium.new_context(viewport={"width": width, "height": 800})
    curator = Curator(context, address)
    page = curator.open("/conversations")
    page.get_by_role("button", name="Select this page").click()
    for path in paths(ids):
        curator.open(path)
        page.wait_for_load_state("networkidle")
        _fits(curator, path)
        for fold in page.locator("main details:not(.menu)").all():
            fold.evaluate("fold => { fold.open = true; }")
        _fits(curator, path)
        for menu in page.locator("details.menu:visible").all()[:3]:
            menu.locator("summary").first.click()
            panel = menu.locator("> :is(ul, .panel)")
            assert panel.evaluate(INSIDE), path
            _fits(curator, path)
            page.keyboard.press("Escape")
    context.close()
    assert curator.complaints == []


def _fits(curator: Curator, path: str) -> None:
    wide = curator.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    if wide <= 0:
        return
    sticking_out = curator.page.evaluate(
        "[...document.querySelectorAll('main *, header *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 "
        "&& !e.closest('.scroller')).slice(0, 5)"
        ".map(e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 40))"
    )
    raise AssertionError(f"{path} is {wide} px too wide: {sticking_out}")


def test_rows_have_two_lines_and_heads_and_actions_stay_in_sight(
    chromium: Browser, address: str, ids: list[UUID]
):
    context = chromium.new_context(viewport={"width": 1440, "height": 800})
    curator = Curator(context, address)
    page = curator.open("/conversations?size=100")
    heights = page.locator("tbody tr:not(.unfit)").evaluate_all(
        "rows => rows.map(row => row.offsetHeight)"
    )
    assert len(heights) == 58
    assert max(heights) < 75
    page.mouse.wheel(0, 2000)
    page.wait_for_timeout(300)
    expect(page.locator("#adding")).to_be_in_viewport()
    expect(page.get_by_role("columnheader", name="Quality")).to_be_in_viewport()
    below = page.locator(".toolbar").bounding_box()
    head = page.get_by_role("columnheader", name="Quality").bounding_box()
    assert head["y"] >= below["y"] + below["height"] - 1
    context.close()


def test_a_box_in_the_head_ticks_the_page_and_ids_are_copied(
    chromium: Browser, address: str, ids: list[UUID]
):
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    curator = Curator(context, address)
    page = curator.open("/conversations?size=25")
    expect(page.get_by_role("button", name="Add to …")).to_be_disabled()
    box = page.get_by_label("Select all of this page")
    box.check()
    count = page.locator("input[name=picked]").count()
    curator.counts(count)
    expect(page.locator("#adding summary")).to_have_text(f"Add {count} to …")
    page.locator("input[name=picked]").first.uncheck()
    curator.counts(count - 1)
    assert box.evaluate("box => box.indeterminate")
    copy = page.locator("button[data-copy]").first
    copy.click()
    assert page.evaluate("navigator.clipboard.readText()") == copy.get_attribute("data-copy")
    page.locator("#adding summary").click()
    page.get_by_label("Find a training file").fill("שיחות על")
    expect(page.locator("#targets li").first).to_contain_text(HEBREW)
    page.get_by_label("Find a training file").press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Add to “{HEBREW}”")
    page.get_by_role("link", name="Back to the conversations").click()
    assert page.url.endswith("?size=25")
    context.close()
    assert curator.complaints == []
