"""Give two dataset folders to the libraries that read them; print what each makes of them.

Runs in an environment of its own, which has these libraries: `reading.py FOLDER OTHER` prints one
JSON document.
"""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
os.environ["HF_HOME"] = tempfile.mkdtemp()

import datasets
import duckdb
import polars as pl
import pyarrow as pa
from mistral_common.protocol.instruct.messages import (
    AssistantMessage,
    SystemMessage,
    UserMessage,
)
from mistral_common.protocol.instruct.validator import (
    MistralRequestValidatorV3,
    ValidationMode,
)
from pyarrow import parquet

FILES = {
    "messages": "messages.jsonl",
    "prompt-completion": "prompt-completion.jsonl",
    "sharegpt": "sharegpt.jsonl",
    "examples": "examples.parquet",
}
OPENAI_ROLES = {"system", "user", "assistant"}
OPENAI_LEAST_EXAMPLES = 10


def load(folder: Path, config: str) -> datasets.Dataset:
    if config == "examples":
        file = str(folder / FILES[config])
        return datasets.load_dataset("parquet", data_files=file, split="train")
    return datasets.load_dataset(str(folder), config, split="train")


def appended(folder: Path, other: Path, config: str) -> dict[str, Any]:
    """Load two files as one, without the card: the features must be those that it states."""
    name = FILES[config]
    builder = "parquet" if name.endswith("parquet") else "json"
    files = [str(folder / name), str(other / name)]
    both = datasets.load_dataset(builder, data_files=files, split="train")
    return {"rows": both.num_rows, "same": both.features == load(folder, config).features}


def with_polars(folder: Path, name: str) -> int:
    read = pl.read_parquet if name.endswith("parquet") else pl.read_ndjson
    return read(folder / name).height


def with_duckdb(folder: Path, name: str) -> int:
    return duckdb.sql(f"SELECT count(*) FROM '{folder}/{name}'").fetchall()[0][0]


def mistral_refusals(dataset: datasets.Dataset) -> list[str]:
    validator = MistralRequestValidatorV3(mode=ValidationMode.finetuning)
    kinds = {"system": SystemMessage, "user": UserMessage, "assistant": AssistantMessage}
    refusals = []
    for row in dataset:
        messages = [kinds[m["role"]](content=m["content"]) for m in row["messages"]]
        try:
            validator.validate_messages(messages)
        except Exception as error:  # noqa: BLE001 - whatever it says is the verdict
            refusals.append(repr(error))
    return refusals


def openai_refusals(path: Path) -> Iterator[str]:
    """Yield what breaks the rules that OpenAI publishes for a file of chats.

    Source: its guide to fine-tuning (data formatting) and the checks of its cookbook.
    """
    lines = path.read_bytes().decode("utf-8", "strict").split("\n")
    if lines.pop():
        yield "the last line has no end"
    if len(lines) < OPENAI_LEAST_EXAMPLES:
        yield f"{len(lines)} examples"
    for number, line in enumerate(lines, 1):
        value = json.loads(line)
        messages = value.get("messages")
        if list(value) != ["messages"] or not messages:
            yield f"line {number}: no list of messages alone"
            continue
        for message in messages:
            if set(message) != {"role", "content"} or message["role"] not in OPENAI_ROLES:
                yield f"line {number}: keys or role"
            if not isinstance(message["content"], str) or not message["content"].strip():
                yield f"line {number}: no content"
        roles = [message["role"] for message in messages]
        if "system" in roles[1:] or roles[-1] != "assistant":
            yield f"line {number}: roles {roles}"


def labels(folder: Path) -> dict[str, Any]:
    """Ask the table what its reader would: with SQL, and with polars."""
    path = folder / "examples.parquet"
    reviewed = duckdb.sql(
        f"SELECT count(*), avg(quality_score), count(DISTINCT conversation_id), "
        f"min(len(prompt)), max(completion[1].role) FROM '{path}'"
    ).fetchall()[0]
    table = pl.read_parquet(path)
    return {
        "sql": list(reviewed),
        "ids": table["id"].n_unique(),
        "extra": table["extra"].str.json_path_match("$.none").null_count(),
    }


def main(folder: Path, other: Path) -> dict[str, Any]:
    data = {config: load(folder, config) for config in FILES}
    tables = [parquet.read_table(it / FILES["examples"]) for it in (folder, other)]
    return {
        "configs": datasets.get_dataset_config_names(str(folder)),
        "rows": {config: dataset.num_rows for config, dataset in data.items()},
        "appended": {config: appended(folder, other, config) for config in FILES},
        "polars": {config: with_polars(folder, name) for config, name in FILES.items()},
        "duckdb": {config: with_duckdb(folder, name) for config, name in FILES.items()},
        "arrow": pa.concat_tables(tables).num_rows,
        "mistral": mistral_refusals(data["messages"]),
        "openai": list(openai_refusals(folder / FILES["messages"])),
        "labels": labels(folder),
        "targets": [row["completion"][0]["content"] for row in data["examples"]],
    }


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = main(Path(sys.argv[1]), Path(sys.argv[2]))
    json.dump(result, sys.stdout)
