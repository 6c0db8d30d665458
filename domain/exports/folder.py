"""The files beside the data of a dataset folder: its card, and settings that make trainers right.

Sources: the Hugging Face hub's documentation of dataset cards (`configs`, `dataset_info`), the
documentation of TRL's SFTConfig, of LLaMA-Factory's data/README and of axolotl's dataset formats.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from domain.exports import EXPORT_FORMATS, ExportFormat
from domain.exports.summary import ExportSummary
from domain.versions.record import VersionRecord

FILE_NAMES: Mapping[ExportFormat, str] = {format: f"{format}.jsonl" for format in EXPORT_FORMATS}
_COLUMNS: Mapping[ExportFormat, Mapping[str, tuple[str, str]]] = {
    "messages": {"messages": ("role", "content")},
    "prompt-completion": {"prompt": ("role", "content"), "completion": ("role", "content")},
    "sharegpt": {"conversations": ("from", "value")},
}


def dataset_card(version: VersionRecord, summary: ExportSummary) -> bytes:
    """Render README.md as the hub reads it.

    It states no sizes of splits and names no empty file: either makes a dataset unloadable.
    """
    configs = "".join(_config(format) for format in EXPORT_FORMATS)
    features = "".join(_features(format) for format in EXPORT_FORMATS)
    title = " ".join(version.file_name.split())
    return (
        f"---\nconfigs:\n{configs}dataset_info:\n{features}---\n"
        f"# {title}, version {version.number}\n\n"
        f"{summary.targets} approved answers in {summary.conversations} conversations.\n\n"
        "| file | one line is | for |\n| --- | --- | --- |\n"
        "| `messages.jsonl` | a conversation | TRL with `assistant_only_loss`, OpenAI, axolotl |\n"
        "| `prompt-completion.jsonl` | an answer with all that precedes it | TRL as it comes |\n"
        "| `sharegpt.jsonl` | a conversation | LLaMA-Factory, with `dataset_info.json` |\n\n"
        "`TRAINING.md` has the settings with which each trainer learns these answers, all of them "
        "and nothing else. `SHA256SUMS` checks the files.\n"
    ).encode()


def training_settings(summary: ExportSummary) -> bytes:
    """Render TRAINING.md: for each trainer the settings whose defaults would teach something else.

    Defaults cut long conversations off, or train on the client's words, and do not say so.
    """
    length = summary.max_length
    return f"""\
# Settings for trainers

The longest conversation has at most about {summary.longest_tokens:,} tokens (estimated from its
bytes, on the safe side). At a smaller length trainers cut conversations off without a word.

## TRL

With `prompt-completion.jsonl` only completions are trained by default:

```python
SFTConfig(max_length={length})
```

With `messages.jsonl`, and a chat template that marks the assistant's turns (`{{% generation %}}`):

```python
SFTConfig(max_length={length}, assistant_only_loss=True)
```

## LLaMA-Factory

Copy `sharegpt.jsonl` and `dataset_info.json` to its `data` folder. Leave `mask_history` off: it
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
  - path: messages.jsonl
    ds_type: json
    type: chat_template
    field_messages: messages
    roles_to_train: [assistant]
    train_on_eos: turn
sequence_len: {length}
```

## OpenAI

Upload `messages.jsonl` as it is.
""".encode()


def dataset_info() -> bytes:
    """Render LLaMA-Factory's description of `sharegpt.jsonl`.

    `formatting: openai` would read `messages.jsonl`, but appends to every system prompt.
    """
    value: dict[str, Any] = {
        "conversations": {
            "file_name": FILE_NAMES["sharegpt"],
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
    }
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _config(format: ExportFormat) -> str:
    default = "  default: true\n" if format == EXPORT_FORMATS[0] else ""
    return (
        f"- config_name: {format}\n{default}"
        f"  data_files:\n  - split: train\n    path: {FILE_NAMES[format]}\n"
    )


def _features(format: ExportFormat) -> str:
    columns = "".join(
        f"  - name: {name}\n    list:\n"
        + "".join(f"    - name: {field}\n      dtype: string\n" for field in fields)
        for name, fields in _COLUMNS[format].items()
    )
    return f"- config_name: {format}\n  features:\n{columns}"
