"""The `--json` document and the exit code of every command, in its outcomes.

`TRAINFOLD_GOLDEN=record python -m pytest tests/golden` records them. What a command without a
document says to people is not compared.
"""

import json
import shlex

import pytest

from tests.golden.golden import FOLDER, compare, without_variables
from tests.golden.journey import Journey, Step
from tests.golden.steps import BATCHES, SAMPLES, STEPS, UNKNOWN

FIXED_IDS = {*BATCHES.values(), UNKNOWN, *(path.stem for path in SAMPLES.rglob("*.json"))}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_document_and_exit_code(samples: Journey, step: Step):
    ran = samples.ran[step.name]
    found = {
        "command": shlex.join(["trainfold", *step.words]),
        "exit_code": ran.code,
        "document": json.loads(ran.out) if ran.out else None,
    }
    compare(f"documents/{step.name}", without_variables(found, fixed_ids=FIXED_IDS))


def test_no_golden_document_is_left_over():
    golden = {path.stem for path in (FOLDER / "documents").iterdir()}
    assert golden <= {step.name for step in STEPS}
