"""Downloads have names of their own, and replace nothing that is there."""

import os
from pathlib import Path

import pytest

from operations import resources
from operations.rename import rename
from tests.asking import carry_out, request
from tests.commands import Run
from tests.conftest import Library
from tests.file_commands import command
from tests.spoken import add_spoken

JSON = ("--format", "json")


def test_names_in_any_script_become_files_of_their_own(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    names = ("שיחות אביב", "שיחות קיץ", "👍🏽", "🏮", "a:b", "a?b", "א" * 120, "ב" * 120)
    for name in names:
        carry_out(request(name, [library.add()], new=True))
        assert trainfold("download", name, *JSON).code == 0
        assert trainfold("export", name, "--format", "messages").code == 0
    found = sorted(path.name for path in tmp_path.iterdir())
    assert len(found) == 2 * len(names)
    assert {"שיחות אביב-v1.json", "שיחות קיץ-v1.json", "👍🏽-v1-messages.jsonl"} <= set(found)


def test_a_file_that_took_the_old_name_of_another_does_not_take_its_download(
    trainfold: Run, library: Library, engine, tmp_path: Path
) -> None:
    carry_out(request("Spring", [library.add()], new=True))
    rename(engine, command("Spring"), "Summer")
    carry_out(request("Spring", [library.add()], new=True))
    for name in ("Spring", "Summer"):
        assert trainfold("download", name, *JSON).code == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_is_replaced_without_force(trainfold: Run, library: Library, tmp_path: Path):
    carry_out(request("Talks", [library.add()], new=True))
    there = tmp_path / "Talks-v1.json"
    there.write_text("mine")
    for words in (JSON, (*JSON, "-o", "Talks-v1.json"), (*JSON, "-o", str(tmp_path))):
        refused = trainfold("download", "Talks", *words)
        assert (refused.code, refused.out) == (2, "")
        assert "Talks-v1.json exists already and was not changed" in " ".join(refused.err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["Talks-v1.json"]
    assert there.read_text() == "mine"
    assert trainfold("download", "Talks", *JSON, "--force").code == 0
    assert there.read_text() != "mine"


def test_a_link_that_leads_nowhere_is_not_replaced(trainfold: Run, library, tmp_path: Path):
    carry_out(request("Talks", [library.add()], new=True))
    (tmp_path / "link").symlink_to("nowhere")
    assert trainfold("download", "Talks", *JSON, "-o", "link").code == 2
    assert (tmp_path / "link").is_symlink()


def test_an_export_of_two_files_replaces_neither(trainfold: Run, library, tmp_path: Path):
    carry_out(request("Talks", [add_spoken(library, n) for n in range(8)], new=True))
    words = ("export", "Talks", "--format", "messages", "--validation", "0.25")
    assert trainfold(*words).code == 0
    (train,) = tmp_path.glob("*train.jsonl")
    train.unlink()
    assert trainfold(*words).code == 2
    assert not train.exists()
    assert trainfold(*words, "--force").code == 0
    assert train.exists()


@pytest.mark.parametrize("output", ["no/such/folder/x.json", "/proc/x.json", "x" * 300])
def test_a_path_that_cannot_be_written_is_told_in_words(trainfold: Run, library, output: str):
    carry_out(request("Talks", [library.add()], new=True))
    refused = trainfold("download", "Talks", *JSON, "-o", output)
    assert refused.code == 2
    assert "cannot be written" in refused.err
    assert trainfold("export", "Talks", "--format", "messages", "-o", output).code == 2
    assert trainfold("export", "Talks", "--to", f"/proc/{output}").code == 2


def test_a_device_is_never_replaced(trainfold: Run, library) -> None:
    carry_out(request("Talks", [library.add()], new=True))
    refused = trainfold("download", "Talks", *JSON, "--force", "-o", os.devnull)
    assert (refused.code, Path(os.devnull).is_char_device()) == (2, True)
    assert "not a regular file" in refused.err
    resources.forget()
