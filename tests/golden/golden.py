"""Compares what users and programs see with golden files, or records them.

`TRAINFOLD_GOLDEN=record python -m pytest tests/golden` writes the golden files; a changed one is a
changed contract, which the changelog has to name.
"""

import difflib
import json
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HOME

FOLDER = Path(__file__).parent

# Values that differ from run to run. What replaces a time keeps its notation.
VARIABLE = (
    (re.compile(re.escape(str(HOME))), "<home>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r'"pid": \d+'), '"pid": "<pid>"'),
    (re.compile(r"\.[0-9a-f]{8}/"), ".<attempt>/"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"), "YYYY-MM-DDThh:mm:ss.ffffff"),
    (re.compile(r"(X-Amz-(?:Credential|Date|Signature))=[^&\"]+"), r"\1=<\1>"),
)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def without_variables(value: Any, *, fixed_ids: Collection[str]) -> Any:
    """Replace values that differ from run to run, among them all UUIDs but `fixed_ids`."""
    text = UUID.sub(lambda it: it[0] if it[0] in fixed_ids else "<id>", _text(value))
    for pattern, name in VARIABLE:
        text = pattern.sub(name, text)
    return json.loads(text)


def compare(name: str, value: Any) -> None:
    """Fail with a diff unless `value` equals the golden file; 3 and 3.0 differ."""
    path = FOLDER / f"{name}.json"
    text = _text(value)
    if os.environ.get("TRAINFOLD_GOLDEN") == "record":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif text != (golden := path.read_text(encoding="utf-8") if path.exists() else ""):
        lines = difflib.unified_diff(
            golden.splitlines(), text.splitlines(), f"golden {name}.json", "now", lineterm=""
        )
        pytest.fail("\n".join(lines), pytrace=False)


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
