"""Trials in which somebody else acts between two steps of a request."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from sqlalchemy import text

from soak.claim import Claim
from soak.crashes import HEAD_JSONL, PUT_JSON
from soak.library import object_key
from soak.s3_faults import S3Action, S3Fault
from soak.stage import Stage
from soak.store_faults import SOURCE
from soak.tally import Tally
from soak.trial import Trial

MOMENTS = {
    "between gate and fetch": S3Fault(SOURCE, S3Action.WAIT_BEFORE),
    "between two fetches": S3Fault(SOURCE, S3Action.WAIT_BEFORE, nth=2),
    "between fetch and the first put": S3Fault(PUT_JSON, S3Action.WAIT_BEFORE),
    "between put and commit": S3Fault(HEAD_JSONL, S3Action.WAIT_AFTER),
}
SET_STATUS = text(
    "UPDATE trainfold.conversations SET enrichment_status = :status WHERE conversation_id = :id"
)


def source_replaced(stage: Stage, moment: str, number: int) -> Tally:
    """Overwrite sources while an add or a rebuild is at this moment: it has old or new, whole."""
    trial = Trial(stage, f"source replaced {moment}", number)
    claim, ids = _add_or_rebuild(trial)
    replace = partial(_each, ids, trial.replace_source)
    _while_waiting(trial, claim, MOMENTS[moment], replace)
    trial.settle()
    rebuild_to_newest(trial)
    return trial.tally()


def source_withdrawn(stage: Stage, number: int) -> Tally:
    """Take a source away, or its row's completion, while a request runs; then give it back."""
    trial = Trial(stage, "source withdrawn", number)
    claim, ids = _add_or_rebuild(trial)
    conversation_id = trial.chance.choice(ids)
    fault = list(MOMENTS.values())[number % len(MOMENTS)]
    if number // len(MOMENTS) % 2:
        _while_waiting(
            trial, claim, fault, partial(stage.sources.delete, object_key(conversation_id))
        )
        trial.replace_source(conversation_id)
    else:
        set_status = partial(_set_status, stage, conversation_id)
        _while_waiting(trial, claim, fault, partial(set_status, "enriched"))
        set_status("completed")
    trial.settle()
    return trial.tally()


def writer_frozen(stage: Stage, moment: str, number: int) -> Tally:
    """Stop the writer (SIGSTOP) at this moment, let another request commit, and let it go on."""
    trial = Trial(stage, f"writer frozen {moment}", number)
    trial.base(2)
    frozen, faster = (trial.claim(trial.conversations(2)) for _ in range(2))
    fault = MOMENTS[moment]
    with trial.behind([fault]) as front:
        worker = trial.start(frozen, front)

        def overtake() -> None:
            worker.freeze()
            trial.run(faster)
            worker.thaw()

        front.meanwhile(overtake)
        worker.go()
        frozen.outcomes.append(worker.outcome())
    frozen.is_struck = faster.is_struck = False
    trial.settle()
    return trial.tally()


def rebuild_to_newest(trial: Trial) -> None:
    """Rebuild until the file holds the newest state of every source."""
    claim = trial.claim_rebuild()
    claim.is_struck = False
    trial.run(claim)
    trial.expects_newest = True


def _add_or_rebuild(trial: Trial) -> tuple[Claim, list[UUID]]:
    """Claim either, and name the conversations that it reads."""
    trial.base(trial.chance.randint(2, 3))
    if trial.chance.random() < 1 / 2:
        ids = trial.conversations(trial.chance.randint(2, 3))
        return trial.claim(ids), ids
    members = trial.claims[0].ids
    for conversation_id in trial.chance.sample(members, 2):
        trial.replace_source(conversation_id)
    return trial.claim_rebuild(), members


def _while_waiting(
    trial: Trial, claim: Claim, fault: S3Fault, operation: Callable[[], object]
) -> None:
    with trial.behind([fault]) as front:
        front.meanwhile(operation)
        trial.run(claim, front)


def _each(ids: list[UUID], operation: Callable[[UUID], object]) -> None:
    for conversation_id in ids:
        operation(conversation_id)


def _set_status(stage: Stage, conversation_id: UUID, status: str) -> None:
    with stage.engine.begin() as connection:
        connection.execute(SET_STATUS, {"id": conversation_id, "status": status})
