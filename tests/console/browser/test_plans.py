"""All that match are added in the browser: counted, submitted, followed to the end."""

import pytest
from playwright.sync_api import expect

from tests.conftest import Library
from tests.console.browser.conftest import Visiting
from tests.operations.test_plans import many, members

NAME = "שיחות " + "x" * 100


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scripts", [False, True])
def test_more_than_a_selection_holds_are_added(
    visiting: Visiting, library: Library, width: int, scripts: bool
):
    ids = many(library, 82)
    library.batch(*ids, name="spring")
    curator = visiting(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = curator.open("/conversations?batch=spring")
    page.get_by_role("link", name="Add 82 that match").click()
    page.get_by_label("Training file").fill(NAME)
    page.get_by_label("Create it").check()
    page.get_by_role("button", name="See what would be added").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing blocks.")
    if scripts:
        assert curator.grave_findings() == []
        is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(is_wider)
    page.get_by_role("button", name="Add 82 in 2 versions").click()
    expect(page.get_by_role("status")).to_contain_text("82 of 82 added", timeout=90_000)
    if scripts:
        assert curator.grave_findings() == []
        assert not page.evaluate(is_wider)
    page.get_by_role("link", name="Open the training file").click()
    expect(page.locator("#version-2")).to_be_visible()
    assert members(NAME) == ids
