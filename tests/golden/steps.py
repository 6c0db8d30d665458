"""The journey of the samples: commands that print a JSON document, and the ways they end."""

import json
from pathlib import Path
from typing import Any

from operations import resources
from tests.golden.journey import Journey, Step

SAMPLES = Path(__file__).parents[2] / "samples"
BATCHES = {
    "spring-batch": "5a3b0000-0000-4000-8000-000000000001",
    "summer-batch": "5a3b0000-0000-4000-8000-000000000002",
}
TALKS, SOUND = "Spring talks", "Two talks"
SPRING, SUMMER = "samples/spring-batch", "samples/summer-batch"
FREELANCER = "3c045402-b8f1-4633-ba1e-6ffb0666dbed"
FAMILY_HOUSE = "5af502ee-46cd-42e4-ad1a-9631301828d4"
UNKNOWN = "5a3b0000-0000-4000-8000-000000000009"
NOBODY = "postgresql://nobody@127.0.0.1:9/nothing"


def write_refused_files(journey: Journey) -> None:
    """Write files that are broken in different ways."""
    folder = journey.folder / "refused"
    folder.mkdir()
    (folder / "half.json").write_text('{"dataset_metadata":')
    value = _sample(journey)
    del value["consultant_profile"]["expertise"]
    value["training_pairs"][0]["turn_number"] = "one"
    value["training_pairs"][1]["training_metadata"]["quality_score"] = 7
    (folder / "wrong.json").write_text(json.dumps(value))


def write_changed_file(journey: Journey) -> None:
    """Write a sample with another answer, and with values that are easily rendered differently."""
    value = _sample(journey)
    pair = value["training_pairs"][-1]
    pair["target_response"] = (
        "Two envelopes first — “open” and “later”.\n\n→ Café, 10\u202f€ \\n 🏮"
    )
    pair["training_metadata"]["quality_score"] = 4.0
    pair["zebra"] = {"z": 3.0, "a": 3, "tiny": 1e-7, "large": 9007199254740993, "none": None}
    pair["aardvark"] = [[], {}, "", "\u2028\x7f</script>", -0.0, True]
    folder = journey.folder / "changed"
    folder.mkdir()
    (folder / f"{FREELANCER}.json").write_text(json.dumps(value, indent=1), encoding="utf-8")


def damage(journey: Journey) -> None:
    """Change one byte of a stored object."""
    key = journey.ran["add-strict"].json["json"]["key"]
    store = resources.training_files_store()
    full = b"".join(store.chunks(key))
    changed = full.replace(b"target_response", b"target_resp0nse", 1)
    store.put(key, changed, content_type="application/json")


def download_full_file(journey: Journey) -> None:
    """Download the current full JSON into the folder."""
    journey.run("download", TALKS, "--format", "json", "-o", "full.json")


def _sample(journey: Journey) -> Any:
    path = journey.folder / SPRING / f"{FREELANCER}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _step(name: str, *words: str, **options: Any) -> Step:
    return Step(name, (*words, "--json"), **options)


STEPS = (
    _step("import", "import", SPRING, "--batch", "spring-batch"),
    _step("import-unchanged", "import", SPRING, "--batch", "spring-batch"),
    _step("import-refused", "import", "refused", prepare=write_refused_files),
    _step("conversations", "conversations", "--batch", "spring-batch", "--sort", "batch"),
    _step("check", "check", TALKS, "--new", "--batch", "spring-batch"),
    _step("check-blocked", "check", TALKS, "--new", FREELANCER, UNKNOWN, FREELANCER, "no-id"),
    _step("check-unknown-file", "check", TALKS, FREELANCER),
    _step("check-unknown-batch", "check", TALKS, "--batch", "autumn-batch"),
    _step("add-new", "add", TALKS, "--new", "--batch", "spring-batch", "--as", "Noor",
          "--description", "Talks of spring", "--request-id", "spring-1"),
    _step("add-again", "add", TALKS, "--new", "--batch", "spring-batch", "--as", "Noor",
          "--description", "Talks of spring", "--request-id", "spring-1"),
    _step("add-other-under-the-same-id", "add", TALKS, FREELANCER, "--request-id", "spring-1"),
    _step("import-summer", "import", SUMMER, "--batch", "summer-batch"),
    _step("add", "add", TALKS, "--batch", "summer-batch", "--as", "Ines",
          "--request-id", "summer-1"),
    _step("add-blocked", "add", TALKS, "--batch", "summer-batch"),
    _step("add-strict", "add", SOUND, "--new", "--strict", FAMILY_HOUSE, FREELANCER,
          "--as", "Noor", "--request-id", "strict-1"),
    _step("add-strict-blocked", "add", "Strict talks", "--new", "--strict",
          "--batch", "spring-batch"),
    _step("submit-again", "submit", TALKS, "--batch", "summer-batch", "--request-id", "summer-1"),
    _step("submit-blocked", "submit", TALKS, "--batch", "summer-batch"),
    _step("rebuild-unchanged", "rebuild", TALKS, "--request-id", "unchanged-1"),
    _step("import-differs", "import", "changed", prepare=write_changed_file),
    _step("import-update", "import", "changed", "--update"),
    _step("rebuild", "rebuild", TALKS, "--as", "Noor", "--request-id", "rebuild-1"),
    _step("rebuild-whole", "rebuild", TALKS, "--whole", "--as", "Noor", "--request-id", "whole-1"),
    _step("rebuild-unknown-file", "rebuild", "No talks"),
    _step("diff", "diff", TALKS, "1", "latest"),
    _step("diff-identical", "diff", TALKS, "3", "4"),
    _step("diff-unknown-version", "diff", TALKS, "1", "9"),
    _step("fitness", "fitness", TALKS, "--version", "2"),
    _step("fitness-unknown-version", "fitness", TALKS, "--version", "of spring"),
    _step("import-full-file", "import", "full.json", prepare=download_full_file),
    _step("conversations-all", "conversations", "--sort", "quality", "--limit", "3"),
    _step("files", "files"),
    _step("show", "show", TALKS),
    _step("show-unknown-file", "show", "No talks"),
    _step("versions", "versions", TALKS),
    _step("url-json", "url", TALKS, "--format", "json", "--version", "1"),
    _step("url-jsonl", "url", TALKS, "--format", "jsonl", "--minutes", "5"),
    _step("verify", "verify", TALKS),
    _step("verify-unknown-version", "verify", TALKS, "--version", "9"),
    _step("verify-damaged", "verify", SOUND, prepare=damage),
    _step("rename", "rename", TALKS, "Talks of spring", "--as", "Noor", "--comment", "A season"),
    _step("rename-taken", "rename", SOUND, "talks of SPRING", "--as", "Noor"),
    _step("keep", "keep", "Talks of spring", "--last", "2", "--as", "Noor"),
    _step("keep-printed", "keep", "Talks of spring"),
    _step("damage", "damage", "Talks of spring", "--refuse", "--as", "Noor"),
    _step("damage-printed", "damage", "Talks of spring"),
    _step("damage-accepted", "damage", "Talks of spring", "--accept", "--as", "Noor"),
    _step("delete-active", "delete", SOUND, "--confirm", SOUND, "--as", "Noor"),
    _step("archive", "archive", SOUND, "--as", "Noor"),
    _step("delete", "delete", SOUND, "--confirm", SOUND, "--as", "Noor"),
    _step("unarchive-unknown-file", "unarchive", SOUND, "--as", "Noor"),
    _step("unarchive", "unarchive", "Talks of spring", "--as", "Noor"),
    _step("log", "log", "Talks of spring", "--limit", "5"),
    _step("log-of-a-deleted-file", "log", SOUND),
    _step("rename-back", "rename", "Talks of spring", TALKS),
    _step("maintain", "maintain"),
    _step("maintain-delete", "maintain", "--delete"),
    _step("status", "status"),
    _step("usage-error", "conversations", "--sort", "sideways"),
    _step("nothing-selected", "add", TALKS),
    _step("unreachable", "files", environment={"TRAINFOLD_DATABASE_URL": NOBODY}),
)  # fmt: skip
"""Each step builds on those before it; its name is its golden file's."""
