"""Trials that break the connection to the database while a request runs."""

from soak.postgres_proxy import COMMIT, CONNECT, DatabaseAction
from soak.stage import Stage
from soak.tally import Tally
from soak.trial import DatabaseFault, Trial

STATEMENTS = (
    r"named\.id",
    r"^(UPDATE|INSERT INTO) trainfold\.training_files\b",
    r"^INSERT INTO trainfold\.training_file_versions",
    r"^INSERT INTO trainfold\.training_file_conversations",
)

BREAKS: dict[str, tuple[tuple[str, ...], DatabaseAction]] = {
    "drops at the start": ((CONNECT,), DatabaseAction.DROP_BEFORE),
    "drops before a statement": (STATEMENTS, DatabaseAction.DROP_BEFORE),
    "drops after a statement": (STATEMENTS, DatabaseAction.DROP_AFTER),
    "drops before the commit": ((COMMIT,), DatabaseAction.DROP_BEFORE),
    "drops within the commit": ((COMMIT,), DatabaseAction.DROP_HALF_SENT),
    "drops when the commit is sent": ((COMMIT,), DatabaseAction.DROP_SENT),
    "drops after the commit": ((COMMIT,), DatabaseAction.DROP_AFTER),
    "stalls": ((CONNECT, *STATEMENTS, COMMIT), DatabaseAction.STALL),
}


def database_breaks(stage: Stage, name: str, number: int) -> Tally:
    """Break the connection once or several times, then retry the request."""
    trial = Trial(stage, f"database {name}", number)
    claim = trial.base_or_create()
    patterns, action = BREAKS[name]
    fault = DatabaseFault(
        patterns[number % len(patterns)],
        action,
        times=trial.chance.choice([1, 1, 2, 5]),
        seconds=trial.chance.uniform(0.1, 0.6),
    )
    with trial.behind(database=[fault]) as front:
        trial.run(claim, front)
    trial.settle()
    return trial.tally()
