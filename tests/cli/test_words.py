"""What the command line says to near misses: names without quotes, near names, blank batches."""

from pathlib import Path
from uuid import uuid4

import pytest

from domain.versions.suggesting import did_you_mean
from operations import resources
from operations.tags import tag_version
from tests.asking import carry_out, request
from tests.cli.test_journey import write
from tests.commands import Run
from tests.conftest import Library


def test_a_name_without_quotes_is_recognised(trainfold: Run, library: Library) -> None:
    ids = library.add_many(2)
    carry_out(request("My אביב File", [library.add()], new=True))
    for command in ("check", "add"):
        ran = trainfold(command, "My", "אביב", "file", *ids)
        assert ran.code == 2
        assert 'did you mean "My אביב File"?' in " ".join(ran.err.replace("│", "").split())
    new = trainfold("check", "Quite", "new", ids[0], "--new")
    assert (new.code, 'did you mean "Quite new"?' in new.err) == (2, True)
    assert trainfold("check", "My אביב File", *ids).code == 0


def test_what_is_no_id_is_still_a_reason(trainfold: Run, library: Library) -> None:
    carry_out(request("Talks", [library.add()], new=True))
    assert trainfold("check", "Talks", "no-id", library.add()).code == 3


def test_near_names_are_suggested(trainfold: Run, library: Library, engine) -> None:
    carry_out(request("Spring talks", [library.add()], new=True))
    tag_version(resources.engine(), "Spring talks", "1", "shipped", protected=False,
                requested_by="x")  # fmt: skip
    for words in (["show"], ["versions"], ["log"], ["verify"], ["archive"]):
        ran = trainfold(*words, "Sprnig talk")
        assert (ran.code, "Did you mean “Spring talks”?" in ran.err) == (4, True), words
    ran = trainfold("url", "Spring talks", "--format", "json", "--version", "shiped")
    assert (ran.code, "Did you mean “shipped”?" in ran.err) == (4, True)
    far = trainfold("show", "🏮" * 120)
    assert (far.code, "Did you mean" in far.err) == (4, False)


@pytest.mark.parametrize("name", ["", "x" * 5_000, "\ud800", "a\0b"])
def test_any_name_can_be_compared(name: str) -> None:
    assert isinstance(did_you_mean(name, ["Spring", "", "שיחות"]), str)


def test_a_batch_is_renamed_and_conversations_leave_it(trainfold: Run, tmp_path: Path) -> None:
    ids = write(tmp_path / "files", count=3)
    imported = trainfold("import", "files", "--batch", "Monday")
    assert "3 of these are in it" in imported.err
    assert trainfold("import", "files", "--batch", "Sunday").code == 0
    taken = trainfold("batch", "rename", "Monday", " Sunday ")
    assert (taken.code, "Another batch is named “Sunday”" in taken.out) == (3, True)
    assert trainfold("batch", "rename", "monday?", "x").code == 4
    assert "Did you mean “Monday”?" in trainfold("batch", "rename", "Mondya", "x").err
    renamed = trainfold("batch", "rename", "Monday", "יום ב", "--json")
    assert renamed.json["name"] == "יום ב"
    out = trainfold("batch", "unlink", "יום ב", ids[0], ids[0], "--json").json
    assert out["unlinked"] == [ids[0]]
    left = trainfold("conversations", "--batch", "יום ב", "--json").json
    assert {row["conversation_id"] for row in left} == set(ids[1:])
    refused = trainfold("batch", "unlink", "יום ב", ids[1], uuid4())
    assert refused.code == 3
    assert len(trainfold("conversations", "--batch", "יום ב", "--json").json) == 2


@pytest.mark.parametrize("name", ["", " ", "\u3000", "a\nb", "x" * 121])
def test_a_batch_has_a_name_that_can_be_read(trainfold: Run, tmp_path: Path, name: str) -> None:
    write(tmp_path / "files", count=1)
    assert trainfold("import", "files", "--batch", name).code == 2
    trainfold("import", "files", "--batch", "Good")
    assert trainfold("batch", "rename", "Good", name).code == 3


def test_an_empty_folder_is_told(trainfold: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = trainfold("import", "empty")
    assert (ran.code, "hold no JSON file" in ran.err) == (0, True)
