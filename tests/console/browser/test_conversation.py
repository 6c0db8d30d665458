"""Reading a conversation: by keyboard, on a narrow screen, with content that no one planned."""

from uuid import UUID, uuid4

import pytest
from playwright.sync_api import expect

from soak.building import as_bytes, conversation
from tests.conftest import Library
from tests.console.browser.conftest import Curator, Visiting

HEBREW = "שלום עולם, מה שלומך היום?"


def with_hostile_text(library: Library) -> UUID:
    id = uuid4()
    content = conversation(id)
    for pair in content["training_pairs"]:
        metadata = pair["conversation_metadata"]
        metadata["client_persona"] = "W" * 120
        metadata["emotional_arc_key"] = "k" * 180
        pair["training_metadata"]["reviewer_notes"] = f"{HEBREW} 🙂 {'x' * 400}"
        if pair["target_response"]:
            pair["target_response"] += "\\"
    return library.add(id, data=as_bytes(content))


def test_the_arrow_keys_turn_the_pages_of_the_list(curator: Curator, library: Library):
    library.add_many(3)
    page = curator.open("/conversations")
    page.locator("td.title a").first.click()
    expect(page.get_by_role("list", name="The conversation, turn by turn")).to_be_visible()
    first = page.url
    expect(page.get_by_role("link", name="Previous")).to_have_count(0)
    for _ in range(2):
        before = page.url
        page.keyboard.press("ArrowRight")
        page.wait_for_url(lambda url, before=before: url != before)
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    for _ in range(2):
        before = page.url
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(lambda url, before=before: url != before)
    assert page.url == first
    page.get_by_role("button", name="Select").click()
    expect(page.locator("main")).to_contain_text("1 / 80 selected")
    page.get_by_role("link", name="Back to the list").click()
    curator.counts(1)
    assert curator.grave_findings() == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways_and_axe_finds_nothing(
    visiting: Visiting, library: Library, width: int, scheme: str
):
    id = with_hostile_text(library)
    curator = visiting(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in (f"/conversations/{id}", "/conversations"):
        page = curator.open(path)
        is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(is_wider), path
        assert curator.grave_findings() == [], path
