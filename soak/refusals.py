"""Trials in which the database or the operating system refuses what a request needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from soak.evidence import look
from soak.stage import Stage
from soak.tally import Finding, Flaw, Tally
from soak.trial import Trial
from soak.worker import End

FOREIGN_RULES = {
    "training_file_versions": "request_id <> '{request_id}'",
    "training_file_conversations": "conversation_id <> '{conversation_id}'",
    "training_files": "id <> '{file_id}' OR current_version < 2",
}


def constraint_refuses(stage: Stage, number: int) -> Tally:
    """Add a CHECK that is not trainfold's and that refuses this request; then remove it."""
    trial = Trial(stage, "a foreign constraint", number)
    trial.base(2)
    claim = trial.claim(trial.conversations(2))
    seen = look(stage.engine, trial.name)
    table = list(FOREIGN_RULES)[number % len(FOREIGN_RULES)]
    rule = FOREIGN_RULES[table].format(
        request_id=claim.request.request_id,
        conversation_id=claim.ids[0],
        file_id=seen.id if seen else "",
    )
    with _constraint(stage, table, f"soak_{trial.chance.getrandbits(40)}", rule):
        outcome = trial.run(claim)
    trial.struck += outcome.end == End.FAILED
    _expect_words(trial, outcome.end, outcome.text)
    _expect_nothing_left(trial)
    trial.settle()
    return trial.tally()


def read_only(stage: Stage, number: int) -> Tally:
    """Let the database take nothing from this writer, as one in recovery does."""
    trial = Trial(stage, "a read-only database", number)
    claim = trial.base_or_create()
    services = stage.services.with_options(default_transaction_read_only="on")
    outcome = trial.run(claim, services=services)
    trial.struck += outcome.end == End.FAILED
    _expect_words(trial, outcome.end, outcome.text)
    trial.settle()
    return trial.tally()


def no_descriptors(stage: Stage, number: int) -> Tally:
    """Let the process open few files and connections, or none."""
    trial = Trial(stage, "descriptors run out", number)
    claim = trial.base_or_create()
    outcome = trial.run(claim, spare_descriptors=number % 8)
    trial.struck += outcome.end != End.MADE
    trial.settle()
    return trial.tally()


def _expect_words(trial: Trial, end: End, said: str) -> None:
    if end not in (End.FAILED, End.MADE):
        text = f"{trial.name}: refused by the database, it ended as {end}: {said}"
        trial.findings.append(Finding(Flaw.WRONG, text))


def _expect_nothing_left(trial: Trial) -> None:
    """Whoever is refused before the commit removes its objects at once."""
    seen = look(trial.stage.engine, trial.name)
    if seen is None:
        return
    for key in trial.own_objects(seen).object_keys() - set(seen.keys):
        text = f"{key} was left by a request that the database refused"
        trial.findings.append(Finding(Flaw.STALE, text))


@contextmanager
def _constraint(stage: Stage, table: str, name: str, rule: str) -> Iterator[None]:
    add = f"ALTER TABLE trainfold.{table} ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID"
    with stage.engine.begin() as connection:
        connection.execute(text(add))
    try:
        yield
    finally:
        with stage.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE trainfold.{table} DROP CONSTRAINT {name}"))
