"""Trials in which the database's clock is not the store's, or jumps while a request runs.

The clock is PostgreSQL's own function, hidden from a writer's sessions by one of the same name in
a schema before it: nothing of the machine is set, and other trials keep the right time.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine, text

from domain.errors import NotReady
from domain.versions.garbage import MIN_SAFE_AGE
from soak.claim import Claim
from soak.meanwhile import MOMENTS
from soak.services import Services
from soak.stage import Stage
from soak.tally import Finding, Flaw, Tally
from soak.trial import Trial
from soak.upkeep import OwnObjects, maintain

SCHEMA = (
    # Two trials may come first at the same time.
    "SELECT pg_advisory_xact_lock(7361)",
    "CREATE SCHEMA IF NOT EXISTS soak_clock",
    "CREATE TABLE IF NOT EXISTS soak_clock.apart (trial text PRIMARY KEY, by interval NOT NULL)",
    """
    CREATE OR REPLACE FUNCTION soak_clock.clock_timestamp() RETURNS timestamptz
    LANGUAGE sql VOLATILE AS $$
        SELECT pg_catalog.clock_timestamp() + coalesce(
            (SELECT by FROM soak_clock.apart WHERE trial = current_setting('soak.trial', true)),
            interval '0')
    $$
    """,
)
SET = text("""
    INSERT INTO soak_clock.apart VALUES (:trial, :by)
    ON CONFLICT (trial) DO UPDATE SET by = excluded.by
""")
APART = (
    timedelta(days=-1),
    timedelta(minutes=-59),
    timedelta(minutes=-4),
    timedelta(minutes=4),
    timedelta(minutes=59),
    timedelta(days=1),
)
JUMP = timedelta(minutes=61)
"""Beyond the longest commit."""


class Clock:
    """The database's clock as one trial's writers see it."""

    def __init__(self, trial: Trial) -> None:
        self._stage = trial.stage
        self._trial = f"{trial.chance.getrandbits(64):x}"
        with self._stage.engine.begin() as connection:
            for statement in SCHEMA:
                connection.execute(text(statement))

    @property
    def services(self) -> Services:
        return self._stage.services.with_options(
            search_path="soak_clock,pg_catalog", **{"soak.trial": self._trial}
        )

    def engine(self) -> Engine:
        return self.services.engine()

    def set(self, apart: timedelta) -> None:
        with self._stage.engine.begin() as connection:
            connection.execute(SET, {"trial": self._trial, "by": apart})


def clocks_apart(stage: Stage, number: int) -> Tally:
    """Write and maintain by a database's clock that is not the store's."""
    trial = Trial(stage, "clocks apart", number)
    trial.base()
    clock = Clock(trial)
    clock.set(APART[number % len(APART)])
    claim = trial.claim(trial.conversations(2))
    _run_with_maintenance(trial, claim, clock, lambda: None)
    trial.settle()
    return trial.tally()


def clock_jumps(stage: Stage, number: int) -> Tally:
    """Set the database's clock forward between a request's put and its commit."""
    trial = Trial(stage, "clock jumps", number)
    trial.base()
    clock = Clock(trial)
    claim = trial.claim(trial.conversations(2))
    _run_with_maintenance(trial, claim, clock, lambda: clock.set(JUMP * (1 + number % 3)))
    trial.settle()
    return trial.tally()


def _run_with_maintenance(
    trial: Trial, claim: Claim, clock: Clock, jump: Callable[[], None]
) -> None:
    """Maintain, by the same clock, between the request's put and its commit."""
    own = OwnObjects(trial.stage.files, {claim.request.request_id})
    engine = clock.engine()

    def meanwhile() -> None:
        jump()
        try:
            maintain(engine, own, safe_age=MIN_SAFE_AGE)
        except NotReady:
            # It refuses to judge ages by clocks that are apart.
            return
        except Exception as error:  # noqa: BLE001 - whatever ends it is evidence
            trial.findings.append(Finding(Flaw.BROKEN, f"maintenance: {error}"))

    with trial.behind([MOMENTS["between put and commit"]], services=clock.services) as front:
        front.meanwhile(meanwhile)
        trial.run(claim, front)
    engine.dispose()
