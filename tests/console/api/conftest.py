"""An application at the HTTP API of a console in this process."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from console.problems import MEDIA_TYPE, Problem
from operations import resources
from operations.api_tokens import create_token
from tests.console.conftest import served
from trainfold.stack import Stack

NAME = "the app"


class Application:
    """Sends requests with a token, and judges what comes back."""

    def __init__(self, address: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.token = token
        self.client = httpx.Client(
            base_url=f"{address}/api/v1", headers=headers, trust_env=False, timeout=60
        )

    def get(self, path: str, **options: Any) -> Any:
        answer = self.client.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, *, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(path, json=body, headers=headers)

    def check(self, name: str, **body: Any) -> Any:
        answer = self.post("/check", {"training_file": name, **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add(self, name: str, ids: Any, *, key: str | None = None, **body: Any) -> httpx.Response:
        ids = [str(id) for id in ids]
        return self.post("/requests", {"training_file": name, "conversation_ids": ids, **body},
                         key=key)  # fmt: skip


def problem(answer: httpx.Response, status: int) -> Problem:
    """Return the problem that the answer is; it has nothing of a stack trace."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    found = Problem.model_validate_json(answer.content)
    assert (found.status, bool(found.title), bool(found.detail)) == (status, True, True)
    return found


@pytest.fixture(scope="module")
def address(stack: Stack) -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def token(engine: Engine) -> str:
    return create_token(resources.engine(), NAME, created_by="a test")[1]


@pytest.fixture
def application(address: str, token: str) -> Iterator[Application]:
    application = Application(address, token)
    with application.client:
        yield application
