"""The v4 JSON Schemas, where they are at hand, agree with what is read and written."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from jsonschema import Draft202012Validator

from domain.format.jsonl import LINE_KEYS, example_lines
from soak.building import conversation
from tests.domain.making import A, B, C, TrainingFile, refusal, text_of, walk, without


def schema(shared: Path, name: str) -> Draft202012Validator:
    value = orjson.loads((shared / "format" / f"{name}-v4.schema.json").read_bytes())
    return Draft202012Validator(value, format_checker=Draft202012Validator.FORMAT_CHECKER)


def faults(validator: Draft202012Validator, value: Any) -> list[str]:
    return [error.message for error in validator.iter_errors(value)]


def test_a_built_conversation_satisfies_the_schema(shared):
    validator = schema(shared, "individual-conversation")
    for turns in (1, 2, 5):
        assert faults(validator, conversation(A, turns=turns)) == []


def test_a_folded_file_satisfies_the_schema(shared):
    file = TrainingFile()
    file.add(conversation(A), conversation(B, score=4.75))
    file.add(conversation(C, turns=1))
    assert faults(schema(shared, "full-training-file"), file.value) == []


def test_what_the_schema_requires_is_what_validation_requires(shared):
    validator = schema(shared, "individual-conversation")
    value = conversation(A, turns=2)
    for path in [path for path, _ in walk(value) if path and isinstance(path[-1], str)]:
        less = without(value, path)
        assert bool(refusal(less)) == bool(faults(validator, less)), text_of(path)


def test_the_formats_example_lines_are_what_its_pairs_give(shared):
    full = orjson.loads((shared / "format" / "example-v4-full.json").read_bytes())
    _, *lines = (shared / "format" / "example-v4.jsonl").read_bytes().splitlines()
    made = b"".join(
        example_lines(UUID(id), each["training_pairs"], suffix=id[:8])
        for each in full["conversations"]
        for id in [each["conversation_metadata"]["conversation_id"]]
    )
    given = [orjson.loads(line) for line in lines]
    ids = [line["id"] for line in given]
    assert [orjson.loads(line)["id"] for line in made.splitlines()] == ids
    assert {tuple(line) for line in given} == {LINE_KEYS}
