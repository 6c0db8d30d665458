"""Who may use the API: whoever has a token, and nothing else counts."""

import httpx
import pytest
from sqlalchemy import Engine

from console.security.passwords import hash_password
from console.security.rate_limit import RateLimit
from operations import resources
from operations.api_tokens import create_token, list_tokens, revoke_token
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.api.conftest import NAME, Application, problem
from tests.console.conftest import Visit, served

PATHS = ["/training-files", "/conversations", "/batches", "/requests/x", "/training-files/x"]


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer x", "Basic {token}", "{token}", "Bearer {token}0",
     "Bearer {other}", "Bearer \xff\xfe", "Bearer " + "x" * 8_000],
)  # fmt: skip
def test_without_a_valid_token_nothing_is_answered(address: str, token: str, header: str | None):
    other = token[:-1] + ("0" if token[-1] != "0" else "1")
    headers = {}
    if header is not None:
        headers["Authorization"] = header.format(token=token, other=other).encode("latin-1")
    for path in PATHS:
        answer = httpx.get(f"{address}/api/v1{path}", headers=headers, trust_env=False)
        assert token not in problem(answer, 401).detail
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="trainfold"'
    for path in ("check", "requests"):
        body = {"training_file": "Talks", "new": True}
        answer = httpx.post(f"{address}/api/v1/{path}", json=body, headers=headers, trust_env=False)
        problem(answer, 401)


def test_a_revoked_token_ends_at_once(application: Application, engine: Engine):
    application.get("/training-files")
    (token,) = list_tokens(engine)
    assert token.last_used_at is not None
    revoke_token(engine, NAME)
    problem(application.client.get("/training-files"), 401)


def test_a_curators_session_does_not_open_the_api(engine: Engine, tmp_path):
    users = tmp_path / "users"
    users.write_text(f"noor:{hash_password('correct horse')}\n")
    with served(users_file=users) as address, Visit(address).client as client:
        visit = Visit(address)
        visit.client = client
        fields = {"name": "noor", "password": "correct horse", "next": "/conversations"}
        visit.post("/sign-in", fields, token=visit.token("/sign-in"))
        assert visit.get("/conversations").status_code == 200
        answer = visit.get("/api/v1/conversations")
        problem(answer, 401)
        assert "Set-Cookie" not in answer.headers


def test_a_token_does_not_open_pages(engine: Engine, token: str, tmp_path):
    users = tmp_path / "users"
    users.write_text(f"noor:{hash_password('correct horse')}\n")
    with served(users_file=users) as address:
        application = Application(address, token)
        application.get("/conversations")
        page = httpx.get(
            f"{address}/conversations", headers=application.client.headers, trust_env=False
        )
        assert (page.status_code, page.headers["Location"]) == (
            303,
            "/sign-in?next=%2Fconversations",
        )


def test_a_proxy_does_not_stand_for_a_token(engine: Engine, token: str):
    with served(proxy_header="X-User") as address:
        problem(
            httpx.get(
                f"{address}/api/v1/training-files", headers={"X-User": "noor"}, trust_env=False
            ),
            401,
        )
        Application(address, token).get("/training-files")


def test_a_token_that_asks_too_often_has_to_wait_and_others_have_not(engine: Engine, token: str):
    other = create_token(resources.engine(), "another app", created_by="a test")[1]
    with served(api_requests_per_minute=3) as address:
        application = Application(address, token)
        for _ in range(3):
            application.get("/training-files")
        answer = application.client.get("/training-files")
        assert NAME in problem(answer, 429).detail
        assert 1 <= int(answer.headers["Retry-After"]) <= 20
        Application(address, other).get("/training-files")


def test_requests_are_allowed_again_evenly():
    now = 0.0
    limit = RateLimit(60, clock=lambda: now)
    assert [limit.take("a") for _ in range(61)] == [0] * 60 + [1]
    assert limit.take("b") == 0
    now = 0.5
    assert limit.take("a") == 1
    now = 2.0
    assert [limit.take("a") for _ in range(3)] == [0, 0, 1]
    now = 10_000.0
    assert [limit.take("a") for _ in range(61)] == [0] * 60 + [1]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_name_is_refused(application: Application, host: str):
    answer = application.client.get("/training-files", headers={"Host": host})
    assert "host name" in problem(answer, 421).detail


def test_bodies_are_limited_before_they_are_read(application: Application):
    large = application.client.post("/requests", content=b"x" * (256 * 1024 + 1))
    problem(large, 413)
    endless = application.client.post("/requests", content=iter([b"{}"]))
    problem(endless, 411)


def test_pages_of_other_origins_are_told_nothing(application: Application, library: Library):
    carry_out(request("Talks", [library.add()], new=True))
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    preflight = application.client.options("/requests", headers=origin)
    problem(preflight, 405)
    for answer in (preflight, application.client.get("/training-files", headers=origin)):
        assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_the_description_needs_no_token(address: str):
    answer = httpx.get(f"{address}/api/v1/openapi.json", trust_env=False)
    assert answer.json()["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
