"""`export`: one file, or a folder with all that a trainer needs."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml
from pyarrow import parquet

from operations import parquet as writing_parquet
from operations import resources
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.commands import Run
from tests.conftest import Library
from tests.spoken import add_spoken


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
    assert "What each trainer learns" in (folder / "fitness.html").read_text()
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    card = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert [config["config_name"] for config in card["configs"]] == [
        "messages", "prompt-completion", "sharegpt"
    ]  # fmt: skip
    for config, info in zip(card["configs"], card["dataset_info"], strict=True):
        assert config["config_name"] == info["config_name"]
        assert "splits" not in info
        (files,) = config["data_files"]
        assert (folder / files["path"]).stat().st_size > 0
        assert files["split"] == "train"
    table = parquet.read_table(folder / "examples.parquet")
    assert table.num_rows == 6
    info = json.loads((folder / "dataset_info.json").read_text())
    assert (folder / info["conversations"]["file_name"]).is_file()
    assert info["conversations"]["formatting"] == "sharegpt"
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


def test_an_export_is_stored_listed_and_downloaded_from_there(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    carry_out(request("Talks", [library.add()], new=True))
    none = trainfold("exports", "Talks")
    assert (none.code, "has no stored export" in none.out) == (0, True)
    made = trainfold("export", "Talks", "--format", "parquet", "--json").json
    (listed,) = trainfold("exports", "Talks", "--json").json["exports"]
    assert made["exports"] == [listed]
    assert (listed["rows"], listed["targets"], listed["conversations"]) == (2, 2, 1)
    data = (tmp_path / "Talks-v1-examples.parquet").read_bytes()
    assert hashlib.sha256(data).hexdigest() == listed["sha256"]
    assert "examples.parquet" in trainfold("exports", "Talks", "--version", "1").out
    again = trainfold("export", "Talks", "--format", "parquet", "-o", "again", "--json").json
    assert (again, (tmp_path / "again").read_bytes()) == (made, data)
    assert trainfold("exports", "Talks", "--version", "2").code == 4
    assert trainfold("exports", "No talks", "--json").code == 4


def test_a_damaged_export_is_not_written_and_again_makes_it_anew(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    carry_out(request("Talks", [library.add()], new=True))
    whole = trainfold("export", "Talks", "--format", "messages", "-o", "-").out
    (stored,) = trainfold("exports", "Talks", "--json").json["exports"]
    resources.training_files_store().put(stored["key"], b"{}", content_type="text/plain")
    for place in ("-", "file", "."):
        refused = trainfold("export", "Talks", "--format", "messages", "-o", place)
        assert (refused.code, refused.out) == (1, "")
        assert "messages.jsonl differs" in refused.err
    assert list(tmp_path.iterdir()) == []
    assert trainfold("verify", "Talks").code == 1
    again = trainfold("export", "Talks", "--format", "messages", "-o", "-", "--again")
    assert (again.code, again.out) == (0, whole)
    assert trainfold("verify", "Talks").code == 0


@pytest.mark.parametrize("name", ["שיחות אביב", "א" * 120, "<script>", "--help me", "🏮 | a"])
def test_any_name_has_an_export_with_a_file_name_of_its_own(
    trainfold: Run, library: Library, tmp_path: Path, name: str
) -> None:
    carry_out(request(name, [library.add()], new=True))
    done = trainfold("export", "--format", "messages", "--", name)
    assert done.code == 0, done.err
    (path,) = tmp_path.iterdir()
    assert set(path.name).isdisjoint('<>:"/\\|?*')
    assert path.name.endswith("-v1-messages.jsonl")
    folder = tmp_path / "folder"
    assert trainfold("export", "--to", folder, "--", name).code == 0
    yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])


def test_a_name_that_cannot_be_is_not_found(trainfold: Run, engine) -> None:
    for name in ("\0", "a" * 5_000, ""):
        assert trainfold("export", name, "--format", "messages").code == 4
        assert trainfold("exports", name, "--json").code == 4


def test_without_pyarrow_parquet_is_refused_and_a_folder_lacks_it_alone(
    trainfold: Run, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(request("Talks", [library.add()], new=True))
    monkeypatch.setattr(writing_parquet, "find_spec", lambda _: None)
    refused = trainfold("export", "Talks", "--format", "parquet")
    assert (refused.code, "pip install 'trainfold[exports]'" in refused.err) == (1, True)
    folder = trainfold("export", "Talks", "--to", "folder")
    assert (folder.code, "Without examples.parquet" in folder.err) == (0, True)
    assert "parquet" not in (tmp_path / "folder/README.md").read_text()


def test_a_share_for_validation_gives_files_of_their_own_that_stay_disjoint(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    carry_out(request("Talks", [add_spoken(library, n) for n in range(8)], new=True))
    done = trainfold("export", "Talks", "--validation", "0.25", "--to", "folder", "--json")
    assert done.code == 0, done.err
    folder = tmp_path / "folder"
    card = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    for config in card["configs"]:
        splits = {it["split"]: it["path"] for it in config["data_files"]}
        assert list(splits) == ["train", "validation"]
        assert all((folder / path).stat().st_size for path in splits.values())
    assert "`messages.train.jsonl`" in (folder / "TRAINING.md").read_text()
    sides = [
        set((folder / f"messages.{side}.jsonl").read_text().splitlines())
        for side in ("train", "validation")
    ]
    assert (len(sides[0] | sides[1]), sides[0] & sides[1]) == (8, set())
    table = parquet.read_table(folder / "examples.parquet")
    rows = {split: table["split"].to_pylist().count(split) for split in ("train", "validation")}
    assert rows == {"train": 2 * len(sides[0]), "validation": 2 * len(sides[1])}
    listed = trainfold("exports", "Talks", "--json").json["exports"]
    assert [it["split"] for it in listed if it["format"] == "messages"] == ["train", "validation"]
    again = trainfold("export", "Talks", "--validation", "0.25", "--format", "messages", "--json")
    assert again.json["exports"] == [it for it in listed if it["format"] == "messages"]
    assert (tmp_path / "Talks-v1-messages.validation.jsonl").is_file()


def test_a_side_without_conversations_is_told_and_has_no_file(
    trainfold: Run, library: Library, tmp_path: Path
) -> None:
    carry_out(request("Talks", library.add_many(3), new=True))
    done = trainfold("export", "Talks", "--validation", "0.5", "--format", "messages")
    assert (done.code, "No conversation is on the side validation" in done.err) == (0, True)
    assert [path.name for path in tmp_path.iterdir()] == ["Talks-v1-messages.train.jsonl"]


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "nan", "inf", "2"])
def test_a_share_that_is_none_is_refused(trainfold: Run, library: Library, share: str) -> None:
    carry_out(request("Talks", [library.add()], new=True))
    refused = trainfold("export", "Talks", "--to", "x", "--validation", share)
    assert refused.code == 2, refused.err
    two = ["--validation", "0.5", "--format", "messages", "-o"]
    for output in ("-", "a file"):
        assert trainfold("export", "Talks", *two, output).code == 2
