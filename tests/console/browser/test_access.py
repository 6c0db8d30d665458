"""For everyone: by keyboard, without scripts, on a narrow screen, by what axe finds."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.browser.conftest import RUN_MILLISECONDS, Curator, Visiting

MOST_TABS = 120


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what matches has the focus, which must be visible there."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate("(e, s) => e.matches(s)", selector):
            seen = "e => { const s = getComputedStyle(e); return s.outlineStyle + s.boxShadow; }"
            assert focused.evaluate(seen) != "nonenone", selector
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_the_main_path_by_keyboard_alone(curator: Curator, library: Library):
    library.add_many(3)
    page = curator.open("/conversations")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    for count in (1, 2):
        tab_to(page, "input[name=picked]:not(:checked)")
        page.keyboard.press("Space")
        curator.counts(count)
    # The focus stays where it was, on the second row.
    expect(page.locator(":focus")).to_be_checked()
    for _ in range(MOST_TABS):
        page.keyboard.press("Shift+Tab")
        if page.locator("summary:focus").count():
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("details.menu[open]")).to_have_count(0)
    expect(page.locator("summary:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    tab_to(page, "details.menu button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/add?new=1*")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("By keyboard")
    expect(page.locator("#contents")).to_contain_text("Nothing blocks.")
    tab_to(page, "#submit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    curator.is_done(1)
    tab_to(page, "a[download]")
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert started.value.suggested_filename == "By keyboard-v1.json"


def test_the_main_path_without_scripts(visiting: Visiting, library: Library):
    ids = library.add_many(27)
    library.batch(*ids, name="spring")
    curator = visiting(java_script_enabled=False)
    page = curator.open("/conversations")
    page.get_by_label("Batch ID", exact=True).fill("spring")
    page.get_by_label("Rows").select_option("25")
    page.get_by_role("button", name="Filter").click()
    page.locator("input[name=picked]").first.check()
    page.get_by_role("button", name="Next").click()
    page.locator("input[name=picked]").first.check()
    page.get_by_role("button", name="Quality").click()
    curator.counts(2)
    curator.choose("Create new training file")
    page.get_by_label("Name").fill("Without scripts")
    page.get_by_role("link", name="Read the files first").click()
    expect(page.get_by_text("Nothing blocks.")).to_be_visible()
    page.get_by_label("Name").fill("Without scripts")
    page.get_by_role("button", name="Create with 2 conversations").click()
    # The page renews itself.
    expect(page.get_by_text("is done.")).to_be_visible(timeout=RUN_MILLISECONDS)
    with page.expect_download() as started:
        page.get_by_role("link", name=re.compile("Download JSONL")).click()
    assert started.value.suggested_filename == "Without scripts-v1.jsonl"
    curator.open("/training-files/Without%20scripts")
    page.get_by_role("link", name="The runs that touched this file").click()
    expect(page.get_by_role("cell", name="add", exact=True)).to_be_visible()


@pytest.fixture
def pages(library: Library) -> list[str]:
    """Every page, with something on it; a selection that has both kinds of rows comes with it."""
    member, *others = library.add_many(3)
    library.add(enrichment_status="enriched")
    library.batch(member, *others, name="A batch with a name that is rather long for a cell")
    carry_out(request("A file", [member], new=True, description="What it is for, in a sentence"))
    return [
        "/conversations", "/conversations?text=nothing-like-it", "/add?new=1", "/add?to=A%20file",
        "/training-files", "/training-files/A%20file", "/nowhere",
    ]  # fmt: skip


def choose_all(curator: Curator) -> None:
    page = curator.open("/conversations")
    page.get_by_role("button", name="Select this page").click()
    curator.counts(3)


SCREENS = [(1440, "light"), (1440, "dark"), (360, "light"), (360, "dark")]


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_axe_finds_nothing_serious(visiting: Visiting, pages, width: int, scheme: str):
    screen = {"width": width, "height": 800}
    curator = visiting(viewport=screen, color_scheme=scheme, reduced_motion="reduce")
    choose_all(curator)
    for path in pages:
        page = curator.open(path)
        page.wait_for_load_state("networkidle")
        for menu in page.locator("details").all():
            menu.evaluate("menu => { menu.open = true; }")
            assert curator.grave_findings() == [], path
            menu.evaluate("menu => { menu.open = false; }")
        assert curator.grave_findings() == [], path


def test_nothing_sticks_out_at_360_pixels(visiting: Visiting, pages):
    curator = visiting(viewport={"width": 360, "height": 740}, has_touch=True)
    choose_all(curator)
    for path in pages:
        page = curator.open(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        for menu in page.locator("details.menu:visible").all():
            menu.locator("summary").tap()
            inside = menu.locator("> :is(ul, .panel)").evaluate(
                "e => [e.getBoundingClientRect()].every(r => r.left >= 0 && r.right <= 360)"
            )
            assert inside, path
            page.keyboard.press("Escape")


def test_the_main_path_at_360_pixels(visiting: Visiting, library: Library):
    library.add_many(2)
    curator = visiting(viewport={"width": 360, "height": 740}, has_touch=True)
    page = curator.open("/conversations")
    for box in page.locator("input[name=picked]").all():
        box.tap()
    curator.counts(2)
    page.locator("#adding summary").tap()
    page.get_by_role("button", name="Create new training file").tap()
    page.get_by_label("Name").fill("Narrow")
    page.get_by_role("button", name="Create with 2 conversations").tap()
    curator.is_done(1)
    expect(page.get_by_role("link", name="Download JSONL")).to_be_in_viewport()
