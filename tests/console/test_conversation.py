"""A conversation's page without scripts."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import Page, Visit


def _edited(library: Library, edit: Callable[[Any], None]) -> UUID:
    id = uuid4()
    content = conversation(id)
    edit(content)
    return library.add(id, data=as_bytes(content))


def test_the_talk_is_told_turn_by_turn_with_what_was_said_about_each(
    console: Visit, library: Library
):
    id = library.add()
    stored = json.loads(console.get(f"/conversations/{id}/json").content)
    text = console.page(f"/conversations/{id}").text
    place = 0
    for pair in stored["training_pairs"]:
        said = " ".join((pair["target_response"] or pair["current_user_input"]).split())
        assert said in text[place:]
        place = text.index(said, place)
        training = pair["training_metadata"]
        assert f"Quality {training['quality_score']:.2f}" in text
        assert (training["reviewer_notes"] or "") in text
    targets = sum(bool(pair["target_response"]) for pair in stored["training_pairs"])
    assert f"Approved answers {targets} of " in text


def test_a_warning_stands_at_its_turn_and_field(console: Visit, library: Library):
    def damage(content):
        answers = [p for p in content["training_pairs"] if p["target_response"]]
        answers[-1]["target_response"] += "\\"

    id = _edited(library, damage)
    html = console.get(f"/conversations/{id}").text
    (turn,) = [part for part in html.split('<li class="turn ') if "seems to be cut off" in part]
    assert "target_response" in turn
    assert turn.startswith("consultant target")


def test_what_cannot_be_read_says_why_and_shows_what_the_database_knows(
    console: Visit, library: Library
):
    missing = library.add(enrichment_status="enriched", enriched_file_path=None)
    broken = library.add(data=b"{")
    for id, reason in ((missing, "not “completed”"), (broken, "cannot be read: not JSON")):
        text = console.page(f"/conversations/{id}").text
        assert "No training file can take this conversation" in text
        assert reason in text
        assert str(id) in text


def test_files_batches_and_the_way_back_are_linked(console: Visit, library: Library):
    id = library.add()
    library.batch(id, name="spring")
    carry_out(request("Held here", [id], new=True))
    page = console.page(f"/conversations/{id}")
    assert "Held here since version 1" in page.text
    assert {"/training-files/Held%20here", "/conversations"} <= set(page.links)
    assert any(link.startswith("/conversations?batch=") for link in page.links)


def test_previous_and_next_follow_the_list_that_it_was_opened_from(
    console: Visit, library: Library
):
    ids = library.add_many(3)
    library.batch(*ids, name="spring")
    library.add()
    listed = console.page("/conversations?sort=quality&size=25")
    links = [link for link in listed.links if link.startswith("/conversations/")]
    assert len(links) == 4
    seen = []
    following: str | None = links[0]
    while following:
        html = console.get(following).text
        seen.append(following.partition("?")[0])
        (following,) = _related(html, "next") or [None]
    assert seen == [link.partition("?")[0] for link in links]
    assert _related(console.get(links[0]).text, "prev") == []
    assert _related(console.get(links[1]).text, "up") == ["/conversations?sort=quality&size=25"]


def _related(html: str, rel: str) -> list[str]:
    parts = html.split(f'" rel="{rel}"')[:-1]
    return [part.rpartition('href="')[2].replace("&amp;", "&") for part in parts]


def test_it_is_selected_and_taken_out_from_its_page(console: Visit, library: Library):
    id = library.add()
    kept = urlencode({"at": "sort=quality", "place": 0})
    answer = console.post(f"/conversations/{id}", {"do": "pick", "from": kept})
    assert answer.headers["location"] == f"/conversations/{id}?{kept}"
    assert "1 / 80 selected" in console.page(f"/conversations/{id}").text
    console.post(f"/conversations/{id}", {"do": "drop"})
    assert "0 / 80 selected" in console.page("/conversations").text


def test_what_does_not_exist_and_what_is_no_id_is_told(console: Visit):
    for path in (f"/conversations/{uuid4()}", "/conversations/x", f"/conversations/{uuid4()}/json"):
        answer = console.get(path)
        assert answer.status_code == 404, path
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("place", ["-1", "x", "99999999999999999999", "3"])
def test_a_mistyped_place_still_opens_the_page(console: Visit, library: Library, place: str):
    id = library.add()
    answer = console.get(f"/conversations/{id}?at=sort%3Dnonsense%26page%3D%00&place={place}")
    assert answer.status_code == 200, answer.text


def test_text_from_the_file_is_text(console: Visit, library: Library):
    attack = "<script>alert(1)</script> {{ 7 * 7 }} \u202eabc \"' onload=x"

    def plant(content):
        for pair in content["training_pairs"]:
            pair["training_metadata"]["reviewer_notes"] = attack
            pair["conversation_metadata"]["client_background"] = attack

    html = console.get(f"/conversations/{_edited(library, plant)}").text
    assert "<script>alert" not in html
    assert "{{ 7 * 7 }}" in Page(html).text
