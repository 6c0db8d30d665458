"""The console in this process, against the session's real services."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import Engine

from console.security.forms import TOKEN_FIELD
from console.server import ConsoleServer
from console.settings import ConsoleSettings
from operations.settings import home_directory
from trainfold.stack.console import console_secrets


class Page(HTMLParser):
    """What tests look for in a page: the text that people see, and the fields of its forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self._pieces: list[str] = []
        self.fields: dict[str, list[str]] = {}
        self.links: list[str] = []
        self.feed(html)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self._pieces)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in {"input", "button"} and found.get("name"):
            self.fields.setdefault(found["name"] or "", []).append(found.get("value") or "")
        if tag == "a":
            self.links.append(found.get("href") or "")

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)


class Visit:
    """A browser without scripts."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = httpx.Client(base_url=address, trust_env=False, timeout=30)

    def entered(self) -> "Visit":
        """Come in by the console's link, as its owner does."""
        answer = self.get(f"/enter?key={console_secrets(home_directory())['key']}")
        assert answer.headers["location"] == "/"
        return self

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def page(self, path: str) -> Page:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    def token(self, path: str = "/conversations") -> str:
        return Page(self.client.get(path).text).fields[TOKEN_FIELD][0]

    def post(
        self, path: str, fields: dict[str, Any], *, token: str | None = None
    ) -> httpx.Response:
        """Send a form as a browser does, with this session's token unless another is given."""
        values = {TOKEN_FIELD: self.token() if token is None else token} | fields
        return self.client.post(
            path,
            content=urlencode(values, doseq=True),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            follow_redirects=False,
        )

    def pick(self, *ids: object) -> None:
        """Tick conversations and go on, as without scripts."""
        listed = [str(id) for id in ids]
        self.post("/conversations", {"do": "page:1", "shown": " ".join(listed), "picked": listed})


@contextmanager
def served(**settings: Any) -> Iterator[str]:
    """The address of a console with these settings."""
    console = ConsoleServer(ConsoleSettings(**settings))
    server = console.uvicorn_server()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
            assert thread.is_alive()
        yield console.address
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def console(engine: Engine) -> Iterator[Visit]:
    """A browser without scripts that came in by the link of a console on loopback."""
    with served() as address:
        visit = Visit(address)
        with visit.client:
            yield visit.entered()
