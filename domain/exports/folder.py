"""The files beside the data of a dataset folder: its card, and settings that make trainers right.

Sources: the Hugging Face hub's documentation of dataset cards (`configs`, `dataset_info`), the
documentation of TRL's SFTConfig, of LLaMA-Factory's data/README and of axolotl's dataset formats.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from domain.exports import (
    EXPORT_FORMATS,
    LINE_FORMATS,
    ExportFormat,
    ExportPart,
    LineFormat,
    export_parts,
)
from domain.exports.summary import ExportSummary
from domain.versions.record import VersionRecord

_COLUMNS: Mapping[LineFormat, Mapping[str, tuple[str, str]]] = {
    "messages": {"messages": ("role", "content")},
    "prompt-completion": {"prompt": ("role", "content"), "completion": ("role", "content")},
    "sharegpt": {"conversations": ("from", "value")},
}
_ABOUT: Mapping[ExportFormat, tuple[str, str]] = {
    "messages": ("a conversation", "TRL with `assistant_only_loss`, OpenAI, axolotl"),
    "prompt-completion": ("an answer with all that precedes it", "TRL as it comes"),
    "sharegpt": ("a conversation", "LLaMA-Factory, with `dataset_info.json`"),
    "parquet": ("an answer with all that precedes it, and its labels", "polars, duckdb, pandas"),
}


def dataset_card(
    version: VersionRecord, summary: ExportSummary, file_names: Collection[str]
) -> bytes:
    """Render README.md as the hub reads it, for these files.

    It states no sizes of splits and names no file that is not there: either makes a dataset
    unloadable. Nor has it a configuration for Parquet: `datasets` reads all configurations of a
    dataset with the reader of most of its files, which fails on the others.
    """
    files = {
        format: [part for part in _parts(format) if part.file_name in file_names]
        for format in EXPORT_FORMATS
    }
    present = {format: parts for format, parts in files.items() if parts}
    configs = "".join(_config(present[it]) for it in LINE_FORMATS if it in present)
    features = "".join(_features(format) for format in LINE_FORMATS if format in present)
    table = "".join(
        f"| `{part.file_name}` | {about} | {use} |\n"
        for format, parts in present.items()
        for part in parts
        for about, use in [_ABOUT[format]]
    )
    title = " ".join(version.file_name.split())
    return (
        f"---\nconfigs:\n{configs}dataset_info:\n{features}---\n"
        f"# {title}, version {version.number}\n\n"
        f"{summary.targets} approved answers in {summary.conversations} conversations.\n\n"
        f"| file | one row is | for |\n| --- | --- | --- |\n{table}\n"
        "`TRAINING.md` has the settings with which each trainer learns these answers, all of them "
        "and nothing else. `SHA256SUMS` checks the files.\n"
        f"{_how_to_load(file_names)}"
    ).encode()


def _how_to_load(file_names: Collection[str]) -> str:
    (parquet,) = export_parts(["parquet"], sided=False)
    if parquet.file_name not in file_names:
        return ""
    return (
        f'\nLoad the table with `load_dataset("parquet", data_files="{parquet.file_name}")`, the '
        "others by the names of their configurations.\n"
    )


def training_settings(summary: ExportSummary, *, sided: bool) -> bytes:
    """Render TRAINING.md: for each trainer the settings whose defaults would teach something else.

    Defaults cut long conversations off, or train on the client's words, and do not say so.
    """
    length = summary.max_length
    messages, completions, sharegpt = (
        ExportPart(format, "train" if sided else None).file_name for format in LINE_FORMATS
    )
    return f"""\
# Settings for trainers

The longest conversation has at most about {summary.longest_tokens:,} tokens (estimated from its
bytes, on the safe side). At a smaller length trainers cut conversations off without a word.

## TRL

With `{completions}` only completions are trained by default:

```python
SFTConfig(max_length={length})
```

With `{messages}`, and a chat template that marks the assistant's turns (`{{% generation %}}`):

```python
SFTConfig(max_length={length}, assistant_only_loss=True)
```

## LLaMA-Factory

Copy `{sharegpt}` and `dataset_info.json` to its `data` folder. Leave `mask_history` off: it
would train the last answer of each conversation alone.

```yaml
dataset: conversations
cutoff_len: {length}
train_on_prompt: false
mask_history: false
```

## axolotl

```yaml
datasets:
  - path: {messages}
    ds_type: json
    type: chat_template
    field_messages: messages
    roles_to_train: [assistant]
    train_on_eos: turn
sequence_len: {length}
```

## OpenAI

Upload `{messages}` as it is.
""".encode()


def dataset_info(file_names: Collection[str]) -> bytes:
    """Render LLaMA-Factory's description of the `sharegpt` files.

    `formatting: openai` would read `messages.jsonl`, but appends to every system prompt.
    """
    value = {
        _dataset_name(part): _sharegpt_dataset(part)
        for part in _parts("sharegpt")
        if part.file_name in file_names
    }
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _dataset_name(part: ExportPart) -> str:
    return "conversations_validation" if part.side == "validation" else "conversations"


def _sharegpt_dataset(part: ExportPart) -> dict[str, Any]:
    return {
        "file_name": part.file_name,
        "formatting": "sharegpt",
        "columns": {"messages": "conversations"},
        "tags": {
            "role_tag": "from",
            "content_tag": "value",
            "user_tag": "human",
            "assistant_tag": "gpt",
            "system_tag": "system",
        },
    }


def _parts(format: ExportFormat) -> list[ExportPart]:
    parts = [part for sided in (False, True) for part in export_parts([format], sided=sided)]
    return list(dict.fromkeys(parts))


def _config(parts: Sequence[ExportPart]) -> str:
    format = parts[0].format
    default = "  default: true\n" if format == LINE_FORMATS[0] else ""
    files = "".join(
        f"  - split: {part.side or 'train'}\n    path: {part.file_name}\n" for part in parts
    )
    return f"- config_name: {format}\n{default}  data_files:\n{files}"


def _features(format: LineFormat) -> str:
    columns = "".join(
        f"  - name: {name}\n    list:\n"
        + "".join(f"    - name: {field}\n      dtype: string\n" for field in fields)
        for name, fields in _COLUMNS[format].items()
    )
    return f"- config_name: {format}\n  features:\n{columns}"
