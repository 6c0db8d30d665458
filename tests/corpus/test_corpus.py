"""58 real conversations, for those who have them."""

import json
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from db.engine import reading
from db.versions import versions
from domain.errors import Blocked
from domain.source.checking import read
from domain.source.damage import damages
from domain.source.limits import Limits
from operations.importing import ConversationFile, read_file
from operations.verify import verify_version
from tests.asking import carry_out, content_of, request
from tests.conftest import Library

BATCHES = ("batch-b", "batch-a", "batch-c")


@pytest.fixture
def corpus(shared: Path, library: Library) -> dict[str, list[dict]]:
    """The corpus's rows by batch, registered with their files."""
    rows: dict[str, list[dict]] = {name: [] for name in BATCHES}
    for line in (shared / "corpus" / "conversations.jsonl").read_text().splitlines():
        row = json.loads(line)
        rows[row["enriched_file_path"].split("/")[0]].append(row)
        library.add(
            UUID(row["conversation_id"]),
            data=(shared / "corpus" / row["enriched_file_path"]).read_bytes(),
            **{key: row[key] for key in ("persona_key", "emotional_arc_key", "topic_key")},
        )
    return rows


def same(one: object, other: object) -> bool:
    """Equal with equal JSON types: 3 is not 3.0."""
    return json.dumps(one) == json.dumps(other)


def test_58_real_conversations_become_one_file_with_three_versions(
    corpus, library: Library, engine, training_files, shared: Path
):
    for number, batch in enumerate(BATCHES):
        ids = [UUID(row["conversation_id"]) for row in corpus[batch]]
        carry_out(request("Corpus", ids, new=number == 0))
    with reading(engine) as connection:
        newest, *_ = made = versions(connection, "Corpus")
    assert [version.conversation_count for version in made] == [58, 54, 36]
    for version in made:
        verify_version(engine, training_files, "Corpus", version.number)

    full_bytes, line_bytes = content_of(newest)
    full = json.loads(full_bytes)
    order = [row["conversation_id"] for batch in BATCHES for row in corpus[batch]]
    found = [each["conversation_metadata"]["conversation_id"] for each in full["conversations"]]
    assert found == order
    sources = {id: json.loads(library.files[UUID(id)])["training_pairs"] for id in order}
    assert all(same(each["training_pairs"], sources[id])
               for id, each in zip(order, full["conversations"], strict=True))  # fmt: skip
    check_statistics(full["training_file_metadata"], sources)
    check_lines(line_bytes, order, sources)
    check_schema(full, [warning for version in made for warning in version.warnings], shared)


def check_statistics(metadata: dict, sources: dict) -> None:
    pairs = [pair for found in sources.values() for pair in found]
    scores = [pair["training_metadata"]["quality_score"] for pair in pairs]
    assert metadata["total_conversations"] == 58
    assert metadata["total_training_pairs"] == len(pairs) == 368
    assert metadata["quality_summary"]["avg_quality_score"] == sum(scores) / len(scores)
    personas: dict[str, int] = {}
    for found in sources.values():
        key = found[0]["conversation_metadata"]["persona_archetype"]
        personas[key] = personas.get(key, 0) + 1
    assert metadata["scaffolding_distribution"]["personas"] == personas


def check_lines(line_bytes: bytes, order: list[str], sources: dict) -> None:
    meta, *lines = map(json.loads, line_bytes.splitlines())
    assert meta["_meta"]["total_pairs"] == len(lines) == 174
    assert len({line["id"] for line in lines}) == 174
    expected = [
        {**pair, "id": f"{pair['id']}_{id[:8]}", "conversation_id": id}
        for id in order
        for pair in sources[id]
        if pair["target_response"]
    ]
    assert all(same(line, wanted) for line, wanted in zip(lines, expected, strict=True))


def check_schema(full: dict, warnings, shared: Path) -> None:
    """All that differs from the v4 schema is vocabulary, and each is a warning."""
    schema = json.loads((shared / "format" / "full-training-file-v4.schema.json").read_text())
    warned = {(warning.conversation_id, warning.message) for warning in warnings}
    errors = list(Draft202012Validator(schema).iter_errors(full))
    assert errors
    for error in errors:
        assert error.validator == "enum"
        index = error.path[1]
        id = full["conversations"][index]["conversation_metadata"]["conversation_id"]
        field = {"persona_key": "persona_archetype"}.get(error.path[-1], error.path[-1])
        assert (id, f"{field} “{error.instance}” is not in the v4 vocabulary") in warned


def test_50_of_174_real_targets_are_damaged(shared: Path):
    texts: Counter[tuple[str, str]] = Counter()
    targets, damaged, after_damage = 0, 0, 0
    for file in sorted((shared / "corpus").glob("batch-*/*.json")):
        _, conversation = read(file.read_bytes(), UUID(file.stem), limits=Limits())
        found = damages(conversation.training_pairs)
        texts.update((text.part, text.code) for text in found.texts)
        targets += sum(bool(pair.target_response) for pair in conversation.training_pairs)
        damaged += len({text.pair for text in found.texts if text.part == "target_response"})
        after_damage += len(found.after_damage)
    assert texts == {
        ("target_response", "cut-off"): 13,
        ("target_response", "double-escaped"): 46,
        # Three of them are last turns that nobody answered: no trainer reads these.
        ("current_user_input", "cut-off"): 10,
        ("current_user_input", "double-escaped"): 18,
    }
    # No sound target follows a damaged turn: whole conversations are damaged.
    assert (targets, damaged, after_damage) == (174, 50, 0)


def test_files_of_an_older_format_or_broken_are_refused_with_reasons(shared: Path):
    codes = {}
    for file in sorted((shared / "corpus" / "rejects").iterdir()):
        with pytest.raises(Blocked) as caught:
            read(file.read_bytes(), None, limits=Limits())
        codes[file.stem] = {reason.code for reason in caught.value.reasons}
    assert codes.pop("legacy-seed-10") == {"not-json"}
    assert all("missing-key" in found for found in codes.values())


def test_a_real_full_file_splits_back_into_its_conversations(shared: Path):
    found = list(read_file(shared / "corpus" / "full" / "batch-a.json", Limits()))
    assert len(found) == 18
    for source in found:
        assert isinstance(source, ConversationFile)
        original = shared / "corpus" / "batch-a" / f"{source.conversation_id}.json"
        assert same(
            source.raw["training_pairs"], json.loads(original.read_bytes())["training_pairs"]
        )
