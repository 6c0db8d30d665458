"""What there is: the documents are those of `--json`."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine, event

from operations import resources
from operations.tags import tag_version
from tests.asking import carry_out, content_of, request
from tests.commands import run
from tests.conftest import Library
from tests.console.api.conftest import Application, problem
from tests.console.conftest import served

HEBREW = "שיחות אביב"
LONG = "ש" * 120
ROOT = "/api/v1"


@pytest.mark.parametrize("name", ["Spring talks", HEBREW, LONG, "..", "100%", "a?b#c&d;e", "💶 €"])
def test_a_training_file_is_found_by_its_name_and_by_its_id(
    application: Application, library: Library, name: str
):
    made = carry_out(request(name, library.add_many(2), new=True))
    (listed,) = application.get("/training-files")["items"]
    assert listed.keys() == {
        "id", "name", "status", "updated_at", "conversation_count", "pair_count",
    }  # fmt: skip
    assert (listed["name"], listed["status"], listed["conversation_count"]) == (
        made.training_file,
        "active",
        2,
    )
    shown = run("show", name, "--json").json
    assert application.get(f"/training-files/{listed['id']}") == shown
    if name != "..":
        assert application.get(f"/training-files/{quote(name, safe='')}") == shown


def test_versions_come_newest_first_in_pages(application: Application, library: Library):
    for number, id in enumerate(library.add_many(3)):
        carry_out(request("Talks", [id], new=number == 0))
    printed = run("versions", "Talks", "--json").json
    assert [it["version"] for it in printed] == [3, 2, 1]
    assert application.get("/training-files/Talks/versions") == {"items": printed, "next": None}
    first = application.get("/training-files/Talks/versions", params={"limit": 2})
    assert first["items"] == printed[:2]
    rest = application.get(first["next"].removeprefix(ROOT))
    assert rest == {"items": printed[2:], "next": None}
    assert application.get("/training-files/Talks/versions/3") == printed[0]


def test_a_link_downloads_either_file_of_any_version(application: Application, library: Library):
    one, two = library.add_many(2)
    first = carry_out(request("Talks", [one], new=True))
    carry_out(request("Talks", [two]))
    for format, content in zip(("json", "jsonl"), content_of(first), strict=True):
        link = application.get(
            "/training-files/Talks/versions/1/download-link",
            params={"format": format, "minutes": 5},
        )
        assert link.keys() == {"url", "expires_in_seconds"}
        assert link["expires_in_seconds"] == 300
        downloaded = httpx.get(link["url"], trust_env=False)
        assert downloaded.content == content
        assert f"Talks-v1.{format}" in downloaded.headers["Content-Disposition"]
    default = application.get(
        "/training-files/Talks/versions/2/download-link", params={"format": "json"}
    )
    assert default["expires_in_seconds"] == 3600


@pytest.fixture
def fresh(engine: Engine, token: str) -> Iterator[Application]:
    """An application at a console that has read no conversation yet."""
    with served() as address:
        yield Application(address, token)


def test_conversations_are_found_by_every_filter(fresh: Application, library: Library):
    def ids(**parameters: object) -> set[str]:
        found = fresh.get("/conversations", params=parameters)
        assert found["total"] == len(found["items"])
        return {item["conversation_id"] for item in found["items"]}

    one, two, member = library.add_many(3)
    other = library.add(
        persona_key="anxious_planner",
        emotional_arc_key="fear_to_confidence",
        topic_key="first_budget",
        enrichment_status="enriched",
    )
    batch = library.batch(one, other, name="spring & summer")
    made = carry_out(request(HEBREW, [member], new=True))
    assert ids() == {str(id) for id in (one, two, member, other)}
    assert ids(status="enriched") == {str(other)}
    assert ids(batch=batch) == ids(batch="spring & summer") == {str(one), str(other)}
    for name, value in (
        ("persona", "anxious_planner"),
        ("arc", "fear_to_confidence"),
        ("topic", "first_budget"),
        ("text", "budget"),
        ("text", str(other)[:13]),
    ):
        assert ids(**{name: value}) == {str(other)}, name
    assert ids(not_in=HEBREW) == ids(not_in=made.training_file_id)
    assert ids(not_in=HEBREW, status="completed") == {str(one), str(two)}
    assert ids(persona="nobody") == set()


def test_conversations_are_the_documents_of_the_command_line(
    application: Application, library: Library
):
    library.batch(*library.add_many(3), name="spring")
    library.add(quality_score="4.1250", tier="production")
    printed = run("conversations", "--json").json
    found = application.get("/conversations")["items"]
    key = "conversation_id"
    assert sorted(found, key=lambda it: it[key]) == sorted(printed, key=lambda it: it[key])


def test_pages_lead_to_all_conversations_once(application: Application, library: Library):
    library.add_many(7)
    seen, path = [], f"{ROOT}/conversations?limit=3&sort=quality"
    while path:
        page = application.get(path.removeprefix(ROOT))
        seen += [item["conversation_id"] for item in page["items"]]
        assert (page["total"], page["total_is_exact"]) == (7, True)
        path = page["next"]
    assert len(seen) == len(set(seen)) == 7


def test_counts_and_pages_end_at_two_thousand(application: Application, library: Library):
    with library.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO conversations (conversation_id, enrichment_status) "
            "SELECT gen_random_uuid(), 'completed' FROM generate_series(1, 2001)"
        )
    page = application.get("/conversations", params={"offset": 1950, "limit": 100})
    assert (len(page["items"]), page["total"], page["total_is_exact"], page["next"]) == (
        50,
        2000,
        False,
        None,
    )
    problem(application.client.get("/conversations", params={"offset": 2000}), 422)


def test_batches_come_by_name_in_pages(application: Application, library: Library):
    made = {name: library.batch(name=name) for name in ("b", "c", "a")}
    listed = [{"id": str(made[name]), "name": name} for name in "abc"]
    assert application.get("/batches") == {"items": listed, "next": None}
    page = application.get("/batches", params={"limit": 2})
    assert page == {"items": listed[:2], "next": f"{ROOT}/batches?limit=2&offset=2"}
    assert application.get("/batches?limit=2&offset=2") == {"items": listed[2:], "next": None}


@pytest.mark.parametrize(
    "path",
    [
        "/training-files/nowhere",
        "/training-files/nowhere/versions",
        "/training-files/Talks/versions/2",
        "/training-files/Talks/versions/0",
        "/training-files/Talks/versions/-1",
        "/training-files/Talks/versions/100000000000000000000",
        "/training-files/Talks/versions/one",
        "/training-files/5a3b0000-0000-4000-8000-000000000009",
        "/training-files/Talks/versions/2/download-link?format=json",
        "/conversations?batch=nowhere",
        "/conversations?not_in=nowhere",
    ],
)
def test_what_is_not_there_is_named(application: Application, library: Library, path: str):
    carry_out(request("Talks", [library.add()], new=True))
    found = problem(application.client.get(path), 404)
    assert found.type == "urn:trainfold:problem:not-found"
    assert found.detail.startswith(("There is no ", "“Talks” has no version "))


def test_conversations_are_found_by_batches_tier_quality_and_days(
    application: Application, library: Library
):
    wanted = library.add(tier="seed_dataset", quality_score="4.5", created_at="2026-03-01T23:30Z")
    other = library.add(tier="rejected", quality_score="2", created_at="2026-03-02T00:00Z")
    library.batch(wanted, name="one")
    library.batch(other, name="two, and more")

    def found(query: str) -> set[str]:
        items = application.get(f"/conversations?{query}")["items"]
        return {item["conversation_id"] for item in items}

    assert found("batch=one") == found("tier=seed_dataset") == {str(wanted)}
    assert found("batch=one&batch=two, and more") == {str(wanted), str(other)}
    assert found("quality_min=4.5&quality_max=4.5") == {str(wanted)}
    assert found("created_from=2026-03-02") == {str(other)}
    assert found("created_from=2026-03-01&created_until=2026-03-01") == {str(wanted)}
    assert found("created_until=9999-12-31&created_from=0001-01-01&quality_max=100") == {
        str(wanted),
        str(other),
    }


@pytest.mark.parametrize(
    "query",
    [
        "quality_min=nan",
        "quality_max=-1",
        "quality_min=1e9",
        "created_from=yesterday",
        "created_until=2026-02-30",
        "tier=%00",
        "batch=a&batch=%00",
        "batch=x" + "&batch=x" * 100,
    ],
)
def test_filters_that_cannot_be_are_refused(application: Application, query: str):
    problem(application.client.get(f"/conversations?{query}"), 422)


@pytest.mark.parametrize("version", ["latest", "רענון", "1"])
def test_a_version_is_found_by_its_tag(application: Application, library: Library, version: str):
    carry_out(request("Talks", [library.add()], new=True))
    tag_version(resources.engine(), "Talks", "1", "רענון", protected=True, requested_by="x")
    path = f"/training-files/Talks/versions/{quote(version)}"
    found = application.get(path)
    assert (found["version"], found["tags"]) == (1, [{"name": "רענון", "is_protected": True}])
    link = application.get(f"{path}/download-link", params={"format": "json"})
    assert httpx.get(link["url"]).json()["training_file_metadata"]["total_conversations"] == 1


def test_what_can_be_read_can_be_asked_for_without_its_body(
    application: Application, library: Library
):
    carry_out(request("Talks", [library.add()], new=True))
    for path in ("/training-files", "/training-files/Talks", "/conversations", "/openapi.json"):
        whole, head = application.client.get(path), application.client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(whole.content))
        assert head.headers["Cache-Control"] == "no-store"


def test_a_check_asks_the_database_once(application: Application, library: Library):
    ids = [str(id) for id in library.add_many(80)]
    application.check("Talks", new=True, conversation_ids=ids)
    statements: list[str] = []

    def record(_1, _2, statement, *_3) -> None:
        statements.append(statement)

    event.listen(resources.engine(), "before_cursor_execute", record)
    try:
        checked = application.check("Talks", new=True, conversation_ids=ids)
    finally:
        event.remove(resources.engine(), "before_cursor_execute", record)
    assert checked["eligible"] == ids
    of_token, of_gate = statements
    assert "api_tokens" in of_token
    assert "training_file_conversations" in of_gate
