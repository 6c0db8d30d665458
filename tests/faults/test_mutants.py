"""The judge sees what it claims: each defect, put into a copy of the product, yields a finding."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from soak.stage import Stage

pytestmark = pytest.mark.thorough
ROOT = Path(__file__).parents[2]
PRODUCT = ("db", "domain", "flows", "operations", "soak", "storage", "tasks", "trainfold")
AT_ONCE = 3


class Mutant(NamedTuple):
    module: str
    appended: str
    """Redefines what the module has defined before."""
    flaw: str
    kind: str = "4 writers, distinct"


PARSED = """
_parse = parse
def parse(data, limits):
    return _changed(_parse(data, limits))
"""
MUTANTS = {
    "pair keys sorted": Mutant(
        "domain/source/parsing.py",
        PARSED
        + """
def _changed(value):
    if isinstance(value, dict):
        return {key: _changed(value[key]) for key in sorted(value)}
    return [_changed(item) for item in value] if isinstance(value, list) else value
""",
        "torn",
    ),
    "3.0 written as 3": Mutant(
        "domain/source/parsing.py",
        PARSED
        + """
def _changed(value):
    if isinstance(value, dict):
        return {key: _changed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
""",
        "torn",
    ),
    "warnings dropped": Mutant(
        "domain/findings.py",
        """
def gather(warnings):
    return ()
""",
        "wrong",
    ),
    "human_reviewed always 0": Mutant(
        "domain/statistics.py",
        """
_of_pairs = of_pairs
def of_pairs(pairs):
    return _of_pairs(pairs).model_copy(update={"human_reviewed_count": 0})
""",
        "wrong",
    ),
    "a request id is taken for another request": Mutant(
        "domain/versions/eligibility.py",
        """
def require_same(request, made):
    pass
""",
        "doubled",
    ),
    "objects of an overtaken request stay": Mutant(
        "operations/committing.py",
        """
def drop(store, version):
    pass
""",
        "stale",
    ),
    "maintenance removes nothing": Mutant(
        "operations/sweep.py",
        """
_sweep_store = sweep_store
def sweep_store(engine, store, *, safe_age, delete):
    return _sweep_store(engine, store, safe_age=safe_age, delete=False)
""",
        "stale",
        kind="kill after both puts",
    ),
    "no compare-and-swap": Mutant(
        "db/commit.py",
        """
_compare_and_move = _move_pointer
def _move_pointer(connection, composition):
    version = composition.version
    if version.number == 1:
        _compare_and_move(connection, composition)
        return
    connection.execute(
        update(TrainingFileTable)
        .where(TrainingFileTable.id == version.training_file_id)
        .values(current_version=version.number)
    )
""",
        "broken",
    ),
}
SOUND = {
    kind: Mutant("domain/findings.py", "", "", kind)
    for kind in sorted({mutant.kind for mutant in MUTANTS.values()})
}
SCRIPT = """
import sys
from operations.settings import Settings
from soak import campaign, report
from soak.services import Services
from soak.stage import stage_on

if __name__ == "__main__":
    with stage_on(Services.of(Settings()), seed=int(sys.argv[2])) as stage:
        tallies = campaign.run(stage, iter([(sys.argv[1], 0)]))
    print(report.as_json(tallies, seconds=0, seed=1))
"""


@pytest.fixture(scope="module")
def verdicts(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future]:
    """What the judge finds in one trial of each mutant."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return {
            name: threads.submit(try_out, mutant, tmp_path_factory.mktemp("mutant"), stage, seed)
            for seed, (name, mutant) in enumerate({**MUTANTS, **SOUND}.items(), 100)
        }


def try_out(mutant: Mutant, folder: Path, stage: Stage, seed: int) -> dict:
    for package in PRODUCT:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    with (folder / mutant.module).open("a") as module:
        module.write(mutant.appended)
    script = folder / "one_trial.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script, mutant.kind, str(seed)],
        env=os.environ | stage.services.environment | {"PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["all"]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_of_the_product_is_found(verdicts: dict[str, Future], name: str):
    verdict = verdicts[name].result()
    assert verdict[MUTANTS[name].flaw] > 0, verdict


@pytest.mark.parametrize("kind", SOUND)
def test_the_product_itself_is_sound_in_the_same_trial(verdicts: dict[str, Future], kind: str):
    assert verdicts[kind].result()["findings"] == []
