"""Trials that run many requests on one training file concurrently."""

from soak.claim import Claim
from soak.crashes import INSERT_MEMBERS
from soak.postgres_proxy import COMMIT, CONNECT, DatabaseAction
from soak.s3_faults import S3Action, S3Fault
from soak.stage import Stage
from soak.store_faults import ANY
from soak.tally import Tally
from soak.trial import DatabaseFault, Trial
from soak.worker import End, Job

WRITERS = 16
FEW = 4


def distinct_selections(stage: Stage, number: int, *, writers: int = WRITERS) -> Tally:
    """Race writers that must all succeed."""
    trial = Trial(stage, f"{writers} writers, distinct", number)
    trial.base()
    return _race(trial, [_add(trial) for _ in range(writers)])


def overlapping_selections(stage: Stage, number: int, *, writers: int = WRITERS) -> Tally:
    """Race for shared conversations; every later request for one is blocked entirely."""
    trial = Trial(stage, f"{writers} writers, overlapping", number)
    trial.base()
    shared = trial.conversations(writers)
    claims = [
        trial.claim(trial.chance.sample(shared, trial.chance.randint(1, 3))) for _ in range(writers)
    ]
    return _race(trial, claims)


def identical_requests(stage: Stage, number: int, *, writers: int = WRITERS) -> Tally:
    """Run each request several times concurrently; it must make one version."""
    trial = Trial(stage, f"{writers} writers, identical requests", number)
    trial.base()
    distinct = [_add(trial) for _ in range(max(1, writers // 4))]
    return _race(trial, [distinct[at % len(distinct)] for at in range(writers)])


def creates_of_one_name(stage: Stage, number: int, *, writers: int = WRITERS) -> Tally:
    """Race for a name: one request creates the file, the others are blocked."""
    trial = Trial(stage, f"{writers} creates of one name", number)
    claims = [trial.claim(trial.conversations(1), new=True) for _ in range(writers)]
    return _race(trial, claims)


def verified_meanwhile(stage: Stage, number: int) -> Tally:
    """Verify the file while requests add to it."""
    trial = Trial(stage, "verify while written", number)
    trial.base()
    claims = [_add(trial) for _ in range(FEW)]
    for claim in claims:
        claim.is_struck = False
    workers = [stage.crew.start(Job(claim.request, stage.services)) for claim in claims]
    for worker in workers:
        worker.go()
    while any(worker.runs() for worker in workers):
        trial.findings += stage.judge.verification(trial.name, None)
        trial.struck += 1
    for claim, worker in zip(claims, workers, strict=True):
        claim.outcomes.append(worker.outcome())
    trial.settle()
    return trial.tally()


def storm(stage: Stage, number: int) -> Tally:
    """Run concurrent writers and kill some of them, while store and database both fail."""
    trial = Trial(stage, "storm", number)
    chance = trial.chance
    trial.base()
    claims = [_add(trial) for _ in range(FEW)]
    claims.append(claims[0])
    store = [S3Fault(ANY, _any_store_fault(trial), nth=chance.randint(1, 40)) for _ in range(4)]
    database = [
        DatabaseFault(
            chance.choice([CONNECT, INSERT_MEMBERS, COMMIT]),
            chance.choice([DatabaseAction.DROP_BEFORE, DatabaseAction.DROP_AFTER]),
            nth=chance.randint(1, 6),
        )
        for _ in range(3)
    ]
    delays = [chance.uniform(0, 1) if chance.random() < 1 / 2 else None for _ in claims]
    with trial.behind(store, database) as front:
        trial.run_together(claims, front, kill_after_seconds=delays)
        trial.inspect()
        trial.run_together([claim for claim in claims if claim.last.end != End.MADE], front)
    trial.settle()
    return trial.tally()


def _any_store_fault(trial: Trial) -> S3Action:
    return trial.chance.choice(
        [
            S3Action.ANSWER_500,
            S3Action.SLOW_DOWN,
            S3Action.RESET,
            S3Action.LOSE_ANSWER,
            S3Action.TRUNCATE_ANSWER,
            S3Action.TRUNCATE_REQUEST,
            S3Action.ANSWER_TWICE,
        ]
    )


def _add(trial: Trial) -> Claim:
    return trial.claim(trial.conversations(trial.chance.randint(1, 3)))


def _race(trial: Trial, claims: list[Claim]) -> Tally:
    for claim in claims:
        claim.is_struck = False
    with trial.stage.crowd:
        trial.run_together(claims)
    trial.struck += len(claims)
    trial.settle()
    return trial.tally()
