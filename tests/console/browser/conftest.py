"""A real Chromium on the whole local stack: PostgreSQL, S3, Prefect, a worker, the console."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine

from tests.conftest import HOME
from trainfold.stack import Service, Stack
from trainfold.stack.console import console_link
from trainfold.stack.home import PrivateJsonFile

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
EXECUTABLE = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
AXE = Path(__file__).parents[1] / "vendor" / "axe-4.14.1.min.js"
GRAVE = {"serious", "critical"}
RUN_MILLISECONDS = 90_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if EXECUTABLE is None and os.environ.get("CI"):
        pytest.fail("Chromium is missing; `apt-get install chromium`")
    if EXECUTABLE is None:
        pytest.skip("Chromium is missing; `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def console_address(stack: Stack, worker: str) -> str:
    """The console as `trainfold up` starts it."""
    stack.up([Service.CONSOLE], say=print)
    return str(PrivateJsonFile(HOME / "stack.json").read()["console_url"])


class Curator:
    """A person at a browser. Whatever the page's scripts complain of fails the test."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        context.request.get(console_link(HOME, address))
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        # htmx complains of a request that ends because its reader has gone on.
        expected = ("status of 4", "htmx:afterRequest", "htmx:sendAbort", "htmx:sendError")
        if message.type == "error" and not any(each in message.text for each in expected):
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def counts(self, count: int) -> None:
        expect(self.page.locator("#picked")).to_contain_text(f"{count} / 80 selected")

    def pick(self, *ids: object) -> None:
        for id in ids:
            self.page.locator(f"#pick-{id}").check()

    def filter(self, label: str, option: str) -> None:
        """Choose in a filter; with scripts that is enough."""
        field = self.page.locator(".filters").get_by_label(label, exact=True)
        if field.evaluate("field => field.tagName") == "INPUT":
            field.fill(option)
            with self.page.expect_navigation():
                field.press("Tab")
            return
        value = field.locator("option", has_text=option).get_attribute("value")
        with self.page.expect_navigation():
            field.select_option(value)

    def choose(self, name: str) -> None:
        self.page.locator("#adding summary").click()
        self.page.locator("details.menu[open]").get_by_role("button", name=name).click()

    def create(self, name: str, description: str = "") -> None:
        """From a selection to a submitted run."""
        self.choose("Create new training file")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Description").fill(description)
        expect(self.page.locator("#contents")).to_contain_text("Nothing blocks.")
        self.page.get_by_role("button", name=re.compile("^Create with")).click()
        self.page.wait_for_url("**/runs/*")

    def add_to(self, name: str) -> None:
        self.choose(name)
        expect(self.page.locator("#contents")).to_contain_text("Nothing blocks.")
        self.page.get_by_role("button", name=re.compile("^Add ")).click()
        self.page.wait_for_url("**/runs/*")

    def is_done(self, version: int) -> None:
        expect(self.page.locator("#progress")).to_contain_text(
            f"Version {version} of", timeout=RUN_MILLISECONDS
        )

    def grave_findings(self) -> list[str]:
        """What axe finds serious or critical."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
            for each in found["violations"]
            if each["impact"] in GRAVE
            for node in each["nodes"]
        ]


Visiting = Callable[..., Curator]


@pytest.fixture
def visiting(chromium: Browser, console_address: str, engine: Engine) -> Iterator[Visiting]:
    """Opens browsers on an empty database."""
    curators: list[Curator] = []

    def visit(address: str = console_address, **options: Any) -> Curator:
        context = chromium.new_context(**options)
        curators.append(Curator(context, address))
        return curators[-1]

    yield visit
    complaints = [complaint for curator in curators for complaint in curator.complaints]
    for curator in curators:
        curator.context.close()
    assert complaints == []


@pytest.fixture
def curator(visiting: Visiting) -> Curator:
    return visiting()
