"""Trials in which PostgreSQL or S3 themselves are killed, frozen, made read-only or lose power."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import text

from domain.errors import Damaged
from operations.verify import verify_version
from soak.claim import Claim
from soak.evidence import look
from soak.meanwhile import MOMENTS
from soak.own_stack import OwnStack
from soak.stage import Stage
from soak.tally import Finding, Flaw, Tally
from soak.trial import Trial
from trainfold.stack import Service

USUAL_SECONDS = 1.0
"""About as long as a request takes; a fault at random falls somewhere in it."""


def killed(stage: Stage, service: Service, number: int) -> Tally:
    """Kill the service (kill -9) while a request runs, start it again, run the request again."""
    with trial_on(stage.own_stack, stage, f"{service} killed", number) as (trial, stack):
        claim = trial.base_or_create()

        def kill_and_start() -> None:
            stack.kill(service)
            stack.up()

        _inject(trial, claim, kill_and_start, at_moment=number % 2 == 0)
        return _judged(trial)


def frozen(stage: Stage, service: Service, number: int) -> Tally:
    """Stop the service (SIGSTOP), with all it holds open, and let it go on."""
    with trial_on(stage.own_stack, stage, f"{service} frozen", number) as (trial, stack):
        claim = trial.base_or_create()
        seconds = trial.chance.uniform(0.2, 3)

        def freeze() -> None:
            with stack.frozen(service):
                time.sleep(seconds)

        # The client gives up on an S3 that is frozen for longer than this.
        _inject(trial, claim, freeze, at_moment=False, read_timeout_seconds=1.0)
        return _judged(trial)


def turned_read_only(stage: Stage, number: int) -> Tally:
    """Make the whole database read-only while a request runs (ALTER SYSTEM), then writable."""
    with trial_on(stage.own_stack, stage, "database turned read-only", number) as (trial, _):
        claim = trial.base_or_create()

        def turn() -> None:
            _alter_system(trial.stage, "default_transaction_read_only", "on")

        _inject(trial, claim, turn, at_moment=True)
        _alter_system(trial.stage, "default_transaction_read_only", "off")
        return _judged(trial)


def power_lost(stage: Stage, number: int) -> Tally:
    """Lose what PostgreSQL has not forced to disk; in turn, also all that S3 was sent.

    Everything is killed at once, the writer too. PostgreSQL's files are then those of a checkpoint
    before the request, with the write-ahead log, which is forced to disk at each commit, as it was
    at the end. What the log had beyond the last commit is kept: a kinder loss than a real one.
    """
    with trial_on(stage.own_stack, stage, "power lost", number) as (trial, stack):
        trial.base(2)
        claims = [trial.claim(trial.conversations(2)) for _ in range(2)]
        with trial.stage.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("CHECKPOINT"))
        with stack.saved(Service.POSTGRES, Service.S3) as saved:
            trial.run(claims[0])
            worker = trial.start(claims[1])
            worker.go()
            time.sleep(trial.chance.uniform(0, USUAL_SECONDS))
            worker.kill()
            stack.kill(Service.POSTGRES, Service.S3)
            claims[1].outcomes.append(worker.outcome())
            stack.put_back(saved, Service.POSTGRES, keep=["data/pg_wal"])
            if number % 2:
                stack.put_back(saved, Service.S3)
        stack.up()
        trial.struck += 1
        trial.stage.engine.dispose()
        if number % 2:
            _heal(trial)
        return _judged(trial)


def _heal(trial: Trial) -> None:
    """Do what docs/reliability.md says of versions whose objects are gone."""
    stage = trial.stage
    seen = look(stage.engine, trial.name)
    for version in seen.versions if seen else ():
        number = version["number"]
        try:
            verify_version(stage.engine, stage.files, trial.name, number)
        except Damaged:
            trial.known_damaged.add(number)
    if 1 in trial.known_damaged:
        text = "the version before the power was lost is damaged"
        trial.findings.append(Finding(Flaw.TORN, text))
    if trial.known_damaged:
        # The commit that was under way is not run again on a damaged file.
        trial.run(trial.claim_rebuild(whole=True))


def _judged(trial: Trial) -> Tally:
    trial.settle()
    return trial.tally()


def _inject(
    trial: Trial,
    claim: Claim,
    fault: Callable[[], object],
    *,
    at_moment: bool,
    read_timeout_seconds: float = 5.0,
) -> None:
    """Run the request and strike once, at a step of it or at random."""
    trial.struck += 1
    if not at_moment:
        worker = trial.start(claim, read_timeout_seconds=read_timeout_seconds)
        worker.go()
        time.sleep(trial.chance.uniform(0, USUAL_SECONDS))
        fault()
        claim.outcomes.append(worker.outcome())
        return
    trial.struck -= 1
    with trial.behind([trial.chance.choice(list(MOMENTS.values()))]) as front:
        front.meanwhile(fault)
        trial.run(claim, front, read_timeout_seconds=read_timeout_seconds)


@contextmanager
def trial_on(
    own_stack: OwnStack, stage: Stage, kind: str, number: int
) -> Iterator[tuple[Trial, OwnStack]]:
    """Take a stack whose services may be struck, and begin a trial on it."""
    with own_stack.taken() as stack:
        services = stack.services
        engine = services.engine()
        sources, files = services.stores()
        own = replace(stage, services=services, engine=engine, sources=sources, files=files)
        try:
            yield Trial(own, kind, number), stack
        finally:
            engine.dispose()


def _alter_system(stage: Stage, setting: str, value: str) -> None:
    with stage.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER SYSTEM SET {setting} = {value}"))
        connection.execute(text("SELECT pg_reload_conf()"))
