"""`export`: one file, or a folder with all that a trainer needs."""

import hashlib
import json
from pathlib import Path

import yaml

from soak.building import as_bytes, conversation
from tests.commands import Run
from tests.conftest import Library


def test_a_folder_has_all_formats_a_card_settings_and_checksums(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    assert trainfold("add", "Talks", *library.add_many(3), "--new").code == 0
    exported = trainfold("export", "Talks", "--to", "out/talks", "--json")
    assert exported.code == 0, exported.err
    assert (exported.json["conversations"], exported.json["targets"]) == (3, 6)
    folder = tmp_path / "out/talks"
    assert len((folder / "messages.jsonl").read_text().splitlines()) == 3
    assert len((folder / "prompt-completion.jsonl").read_text().splitlines()) == 6
    assert str(exported.json["max_length"]) in (folder / "TRAINING.md").read_text()
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    card = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    for config in card["configs"]:
        assert (folder / config["data_files"][0]["path"]).stat().st_size > 0
    info = json.loads((folder / "dataset_info.json").read_text())
    assert (folder / info["conversations"]["file_name"]).is_file()
    again = trainfold("export", "Talks", "--to", "out/talks")
    assert again.code == 2
    assert "not an empty folder" in again.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"talks"}


def test_a_file_goes_where_it_is_told_and_old_versions_stay_available(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    trainfold("add", "Talks", library.add(), "--new")
    trainfold("add", "Talks", library.add())
    assert trainfold("export", "Talks", "--format", "sharegpt").code == 0
    assert len((tmp_path / "Talks-v2-sharegpt.jsonl").read_text().splitlines()) == 2
    first = trainfold("export", "Talks", "--version", "1", "--format", "messages", "-o", "-")
    assert len(first.out.splitlines()) == 1
    assert list(json.loads(first.out)) == ["messages"]


def test_a_conversation_that_is_no_chat_is_named_and_nothing_is_written(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    value = conversation(bad := library.add())
    value["training_pairs"][2]["system_prompt"] += " Be brief."
    library.store.put(f"tests/{bad}.json", as_bytes(value), content_type="application/json")
    assert trainfold("add", "Talks", library.add(), bad, "--new").code == 0
    for place in (["--to", "out"], ["--format", "messages", "-o", "-"]):
        refused = trainfold(
            "export", "Talks", *place, "--json" if "--to" in place else "--version=1"
        )
        assert refused.code == 3
        assert str(bad) in refused.out
    assert list(tmp_path.iterdir()) == []


def test_a_call_that_names_no_shape_or_two_is_told_so(trainfold: Run, library: Library) -> None:
    trainfold("add", "Talks", library.add(), "--new")
    assert trainfold("export", "Talks").code == 2
    assert trainfold("export", "Talks", "--format", "messages", "--to", "x").code == 2
    assert trainfold("export", "Nothing", "--format", "messages").code == 4
