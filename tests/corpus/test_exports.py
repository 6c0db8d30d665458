"""Exports of the 58 real conversations, compared with the JSONL of the same version."""

import json
from pathlib import Path
from uuid import UUID

from pyarrow import parquet

from operations.export import write_exports
from tests.asking import carry_out, content_of, request
from tests.conftest import Library


def test_each_prompt_is_the_history_that_the_jsonl_tells_before_its_target(
    library: Library, engine, training_files, shared: Path, tmp_path: Path
):
    files = sorted((shared / "corpus").glob("batch-*/*.json"))
    ids = [library.add(UUID(file.stem), data=file.read_bytes()) for file in files]
    version = carry_out(request("Corpus", ids, new=True))
    _, *lines = map(json.loads, content_of(version)[1].splitlines())
    formats = ["messages", "prompt-completion", "parquet"]
    summary, _ = write_exports(engine, training_files, version, tmp_path, formats)
    assert (summary.conversations, summary.targets) == (58, 174)
    rows = parquet.read_table(tmp_path / "examples.parquet").to_pylist()
    completions = jsonl(tmp_path / "prompt-completion.jsonl")
    for line, row, example in zip(lines, rows, completions, strict=True):
        system, *told = row["prompt"]
        assert system == {"role": "system", "content": line["system_prompt"]}
        history = line["conversation_history"]
        assert told == [{"role": it["role"], "content": it["content"]} for it in history]
        assert told[-1]["content"] == line["current_user_input"]
        assert (row["id"], row["conversation_id"]) == (line["id"], line["conversation_id"])
        assert row["completion"] == [{"role": "assistant", "content": line["target_response"]}]
        assert example == {"prompt": row["prompt"], "completion": row["completion"]}
        assert row["quality_score"] == line["training_metadata"]["quality_score"]
    chats = [line["messages"] for line in jsonl(tmp_path / "messages.jsonl")]
    said = [it["content"] for chat in chats for it in chat if it["role"] == "assistant"]
    assert said == [line["target_response"] for line in lines]


def jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]
