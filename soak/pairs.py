"""Trials in which two different operations run at once on one training file."""

from functools import partial

from soak.concurrency import (
    Archive,
    ImportUpdate,
    Maintenance,
    Preparation,
    prepare_add,
    prepare_rebuild,
    prepare_removal,
    prepare_rollback,
    run_concurrently,
)
from soak.meanwhile import rebuild_to_newest
from soak.stage import Stage
from soak.tally import Tally
from soak.trial import Trial

ADD, REBUILD, WHOLE = "add", "rebuild", "rebuild --whole"
IMPORT, MAINTAIN, ARCHIVE = "import --update", "maintain", "archive"
REMOVE, ROLLBACK = "remove", "rollback"

ONCE = {ARCHIVE, IMPORT, REMOVE}
"""Of two imports at once, the judge could not tell whose file is the newer one; two removals could
remove all."""

OPERATIONS: dict[str, Preparation] = {
    ADD: prepare_add,
    REBUILD: prepare_rebuild,
    WHOLE: partial(prepare_rebuild, whole=True),
    IMPORT: ImportUpdate,
    MAINTAIN: Maintenance,
    ARCHIVE: Archive,
    REMOVE: prepare_removal,
    ROLLBACK: prepare_rollback,
}
PAIRS = (
    (ADD, REBUILD),
    (ADD, WHOLE),
    (ADD, IMPORT),
    (ADD, MAINTAIN),
    (ADD, ARCHIVE),
    (REBUILD, WHOLE),
    (REBUILD, IMPORT),
    (REBUILD, MAINTAIN),
    (REBUILD, ARCHIVE),
    (WHOLE, MAINTAIN),
    (ADD, REMOVE),
    (ADD, ROLLBACK),
    (REMOVE, ROLLBACK),
    (REMOVE, MAINTAIN),
    (ROLLBACK, ARCHIVE),
    (ROLLBACK, MAINTAIN),
    (REBUILD, REMOVE),
    (REBUILD, ROLLBACK),
)


def name_of(pair: tuple[str, str]) -> str:
    return " + ".join(pair)


def raced(stage: Stage, pair: tuple[str, str], number: int) -> Tally:
    """Run both at once, each once or twice."""
    trial = Trial(stage, name_of(pair), number)
    trial.base(trial.chance.randint(2, 4))
    operations = [
        OPERATIONS[operation](trial)
        for operation in pair
        for _ in range(1 if operation in ONCE else trial.chance.randint(1, 2))
    ]
    run_concurrently(operations)
    trial.struck += len(operations)
    trial.settle()
    if IMPORT not in pair or REBUILD in pair:
        rebuild_to_newest(trial)
    return trial.tally()


FLOWS: dict[str, tuple[Preparation, ...]] = {
    "2 adds": (partial(prepare_add, as_flow=True),) * 2,
    "add + rebuild": (partial(prepare_add, as_flow=True), partial(prepare_rebuild, as_flow=True)),
    "add + direct rebuild": (partial(prepare_add, as_flow=True), prepare_rebuild),
    "rebuild + direct add": (partial(prepare_rebuild, as_flow=True), prepare_add),
    "add + maintain": (partial(prepare_add, as_flow=True), Maintenance),
}


def raced_in_prefect(stage: Stage, name: str, number: int) -> Tally:
    """Run flows at once, with each other and with requests that no flow carries out."""
    trial = Trial(stage, f"Prefect: {name}", number)
    trial.base(trial.chance.randint(2, 4))
    operations = [prepare(trial) for prepare in FLOWS[name]]
    run_concurrently(operations)
    trial.struck += len(operations)
    trial.settle()
    return trial.tally()
