"""The page of all training files, and the page of each."""

import re

import httpx
import orjson
import pytest

from db.engine import reading
from db.versions import find_version
from operations import resources
from operations.tags import tag_version
from tests.asking import carry_out, content_of, go_back, request, take_out
from tests.conftest import Library
from tests.console.conftest import Visit, served


def test_the_empty_page_says_in_one_sentence_how_to_make_one(console: Visit):
    text = console.page("/training-files").text
    assert (
        "There is no training file yet: select conversations and choose Create new training file "
        "to make the first." in text
    )


def test_the_list_shows_what_the_current_version_holds(console: Visit, library: Library):
    carry_out(request("Spring talks", library.add_many(2), new=True, description="Of spring"))
    version = carry_out(request("Spring talks", [library.add()]))
    page = console.page("/training-files")
    row = page.text.split("Download, sizes ")[1]
    assert row.startswith("Spring talks Of spring 2 3 12 6 3.00")
    for format in ("json", "jsonl"):
        assert f"/training-files/Spring%20talks/versions/2/{format}" in page.links
    assert f"{version.full.size_bytes / 1000:.1f} kB JSON" in page.text
    assert 'aria-label="Personas: anxious planner 3"' in page.html


def test_the_page_of_a_file_shows_versions_conversations_charts(console: Visit, library: Library):
    first, second = library.add_many(2)
    carry_out(request("Grows", [first], new=True, requested_by="Noor"))
    carry_out(request("Grows", [second], requested_by="Ines"))
    page = console.page("/training-files/Grows")
    text = page.text
    assert re.search(r"2 just now Ines add 2 8 4 3.00 0 JSON of version 2", text)
    assert re.search(r"1 just now Noor create 1 4 2 3.00 0 JSON of version 1", text)
    assert page.html.index(str(first)) < page.html.index(str(second))
    assert "fear to confidence 2 100 %" in text


def test_tags_and_reasons_are_shown_and_a_tag_downloads(console: Visit, library: Library):
    carry_out(request("Tagged", library.add_many(2), new=True))
    take_out("Tagged", [library.files.popitem()[0]], comment="<b>too noisy</b>")
    go_back("Tagged", 1)
    tag_version(resources.engine(), "Tagged", "1", "été", protected=False, requested_by="x")
    text = console.page("/training-files/Tagged").text
    assert "remove <b>too noisy</b> 1" in text
    assert "rollback to 1 2" in text
    assert "1 été " in text
    answer = console.get("/training-files/Tagged/versions/%C3%A9t%C3%A9/json")
    assert 'filename="Tagged-v1.json"' in answer.headers["Content-Disposition"]
    assert (
        "v3.json"
        in console.get("/training-files/Tagged/versions/latest/json").headers["Content-Disposition"]
    )


@pytest.mark.parametrize("format", ["json", "jsonl"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_download_is_the_stored_bytes_under_the_right_name(
    console: Visit, library: Library, format: str, number: int
):
    carry_out(request("Über “spring” talks", [library.add()], new=True))
    carry_out(request("Über “spring” talks", [library.add()]))
    path = "/training-files/%C3%9Cber%20%E2%80%9Cspring%E2%80%9D%20talks"
    answer = console.get(f"{path}/versions/{number}/{format}")
    with reading(resources.engine()) as connection:
        version = find_version(connection, "Über “spring” talks", number)
    assert answer.content == content_of(version)[format == "jsonl"]
    plain = f'filename="_ber _spring_ talks-v{number}.{format}"'
    own = f"filename*=UTF-8''%C3%9Cber%20%E2%80%9Cspring%E2%80%9D%20talks-v{number}.{format}"
    assert answer.headers["Content-Disposition"] == f"attachment; {plain}; {own}"
    assert int(answer.headers["Content-Length"]) == version.stored(format).size_bytes


def test_a_link_is_signed_and_short_lived_where_links_are_asked_for(engine, library: Library):
    version = carry_out(request("Linked", [library.add()], new=True))
    with served(downloads="link") as address:
        answer = Visit(address).entered().get("/training-files/Linked/versions/1/json")
        assert answer.status_code == 303
        link = answer.headers["location"]
        assert "X-Amz-Signature" in link
        assert "X-Amz-Expires=120" in link
        assert httpx.get(link, trust_env=False).content == content_of(version)[0]
        assert httpx.get(link.split("?")[0], trust_env=False).status_code == 403


def test_what_is_not_there_is_told_on_a_page(console: Visit, library: Library):
    version = carry_out(request("Here", [library.add()], new=True))
    for path in ("Nowhere", "Nowhere/versions/1/json", "Here/versions/2/json", "Nowhere/runs"):
        answer = console.get(f"/training-files/{path}")
        assert (answer.status_code, "Not found" in answer.text) == (404, True), path
    assert console.get("/training-files/Here/versions/1/zip").status_code == 404
    for path in ("%00", "%00/runs", "a%00b/versions/1/json", f"Here/versions/{10**20}/json"):
        answer = console.get(f"/training-files/{path}")
        assert (answer.status_code, "Not found" in answer.text) == (404, True), path
    console.pick(library.add())
    assert "control or invisible characters" in console.get("/add?to=%00").text
    resources.training_files_store().delete(version.full.key)
    answer = console.get("/training-files/Here/versions/1/json")
    assert (answer.status_code, "There is no object" in answer.text) == (502, True)


@pytest.mark.parametrize(
    "name", ["..", ".", "a?b#c%d", "Ünï", "5af502ee-46cd-42e4-ad1a-9631301828d4"]
)
def test_every_name_has_an_address(console: Visit, library: Library, name: str):
    carry_out(request(name, [library.add()], new=True))
    (link,) = {link for link in console.page("/training-files").links if link.count("/") == 2}
    assert name in console.page(link).text
    (download,) = {link for link in console.page("/training-files").links if link.endswith("/json")}
    assert (
        orjson.loads(console.get(download).content)["training_file_metadata"]["file_name"] == name
    )


def test_members_are_paged(console: Visit, library: Library):
    ids = library.add_many(52)
    carry_out(request("Long", ids, new=True))
    first, second = (
        console.page("/training-files/Long"),
        console.page("/training-files/Long?page=2"),
    )
    assert "Page 1 of 2" in first.text
    assert str(ids[49]) in first.html
    assert str(ids[50]) not in first.html
    assert str(ids[51]) in second.html
    assert "Page 2 of 2" in console.page("/training-files/Long?page=9").text
