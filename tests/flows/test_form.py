"""Prefect checks the form on its server's event loop: no text may hold that up."""

import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import ValidationError, validate

from flows.add_conversations import add_conversations
from flows.rebuild import rebuild_training_file
from flows.remove_conversations import remove_conversations
from flows.rollback import rollback

MAX_TEXT = 500_000
"""Prefect takes parameters of 512 KiB."""
ID = str(uuid4())
IDS = " ".join(str(uuid4()) for _ in range(MAX_TEXT // 37))

TEXTS: dict[str, str] = {
    "ids": IDS,
    "ids and junk": IDS + "!",
    "one id again and again": f"{ID} " * (MAX_TEXT // 37),
    "ids that lack a digit": f"{ID[:-1]} " * (MAX_TEXT // 36),
    "blanks": " " * MAX_TEXT,
    "an id, blanks and junk": ID + " " * MAX_TEXT + "!",
    "ids far apart and junk": f"{ID}{' ' * 5_000}" * (MAX_TEXT // 5_036) + "!",
    "letters": "a" * MAX_TEXT,
    "letters and a slash": "a" * MAX_TEXT + "/",
    "words and a backslash": " a" * (MAX_TEXT // 2) + "\\",
    "line ends": "\n" * MAX_TEXT + "x/",
}
FIELDS = ("training_file", "conversation_ids", "description", "requested_by", "request_id")


def seconds_to_check(flow: Any, parameters: dict[str, Any]) -> float:
    schema = parameter_schema(flow).model_dump_for_openapi()
    begun = time.process_time()
    with suppress(ValidationError):
        validate(parameters, schema, raise_on_error=True)
    return time.process_time() - begun


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_in_the_form_takes_long_to_check(kind: str, field: str):
    usual = {"training_file": "Talks", "conversation_ids": [ID]}
    baseline = seconds_to_check(add_conversations, usual)
    assert seconds_to_check(add_conversations, usual | {field: TEXTS[kind]}) - baseline < 0.1


@pytest.mark.parametrize("kind", TEXTS)
def test_no_name_in_the_form_of_a_rebuild_takes_long_to_check(kind: str):
    baseline = seconds_to_check(rebuild_training_file, {"training_file": "Talks"})
    taken = seconds_to_check(rebuild_training_file, {"training_file": TEXTS[kind]})
    assert taken - baseline < 0.1


@pytest.mark.parametrize("field", ["training_file", "conversation_ids", "reason", "to"])
@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_in_the_forms_of_history_takes_long_to_check(kind: str, field: str):
    usual = {"training_file": "Talks", "conversation_ids": [ID], "reason": "x"}
    flow = remove_conversations
    if field == "to":
        usual, flow = {"training_file": "Talks", "to": "1"}, rollback
    baseline = seconds_to_check(flow, usual)
    assert seconds_to_check(flow, usual | {field: TEXTS[kind]}) - baseline < 0.1


GOOD = ("Spring talks", " Spring talks ", "a", "文字", "\tTabbed")
BAD = ("", " ", "a/b", "a\\b", "/", "a" * 121)


@pytest.mark.parametrize("name", [*GOOD, *BAD])
def test_the_form_takes_names_and_refuses_paths_and_blanks(name: str):
    schema = parameter_schema(add_conversations).model_dump_for_openapi()
    errors = validate({"training_file": name, "conversation_ids": [ID]}, schema)
    assert bool(errors) == (name in BAD)
