"""A mistaken request is undone in the browser: taken out, rolled back, compared, tagged."""

import pytest
from playwright.sync_api import expect

from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.browser.conftest import Visiting


@pytest.mark.parametrize("width", [360, 1440])
def test_a_removal_is_undone_by_a_rollback(visiting: Visiting, library: Library, width: int):
    first, second = library.add_many(2)
    carry_out(request("Talks", [first, second], new=True))
    curator = visiting(viewport={"width": width, "height": 900})
    page = curator.open(f"/conversations/{first}")
    page.get_by_text("Take it out of Talks").click()
    page.get_by_label("Reason").fill("by mistake")
    page.get_by_role("button", name="without it").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 2 is without them.")
    page.get_by_text("More on version 1").click()
    page.get_by_role("button", name="Roll back to version 1").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 3")
    expect(page.locator("#version-3")).to_contain_text("rollback to 1")
    page.get_by_text("More on version 3").click()
    page.locator("#version-3").get_by_label("Tag", exact=True).fill("good")
    page.get_by_role("button", name="Tag version 3").click()
    expect(page.locator("#version-3")).to_contain_text("good")
    page.get_by_text("More on version 2").click()
    assert curator.grave_findings() == []
    page.get_by_role("link", name="Compare with the current version").last.click()
    expect(page.get_by_role("heading", name="Added")).to_be_visible()
    assert curator.grave_findings() == []
    is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(is_wider)
