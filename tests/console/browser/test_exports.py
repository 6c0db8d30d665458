"""Exports in a browser: made by a click, then in the menu."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.browser.conftest import Visiting


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_exports_are_made_by_a_click_and_downloaded_from_the_menu(
    visiting: Visiting, library: Library, scripts: bool
):
    carry_out(request("Spring talks", library.add_many(2), new=True))
    curator = visiting(java_script_enabled=scripts)
    page = curator.open("/training-files/Spring%20talks")
    page.locator("summary", has_text="Make exports").click()
    page.get_by_role("button", name="Make exports of version 1").click()
    page.wait_for_url("**/training-files/Spring%20talks#version-1")
    expect(page.locator("#version-1")).to_contain_text("4 exports")
    if scripts:
        assert curator.grave_findings() == []
    page.locator("details.menu summary", has_text="Download").click()
    with page.expect_download() as started:
        menu = page.locator("details.menu[open]")
        menu.get_by_role("link", name=re.compile(r"^messages\.jsonl")).click()
    assert started.value.suggested_filename == "Spring talks-v1-messages.jsonl"
    lines = Path(started.value.path()).read_bytes().splitlines()
    assert [list(json.loads(line)) for line in lines] == [["messages"]] * 2
