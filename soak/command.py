"""`python -m soak`: a stack of its own, many trials, a table; exits 1 when anything went wrong."""

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from soak import campaign, report
from soak.kinds import KINDS
from soak.local_stack import local_services, say
from soak.stage import stage_on
from soak.tally import Tally

PROGRESS_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    names = [name for name in KINDS if asked.only is None or asked.only in name]
    if not names:
        say(f"No kind has “{asked.only}” in its name. There are: {', '.join(KINDS)}.")
        return 2
    skipped = {name: why for name in names if (why := KINDS[name].unavailable())}
    for name, why in skipped.items():
        say(f"Skipped, {name}: {why}.")
        names.remove(name)
    endless = asked.seconds is not None and asked.trials is None
    planned = campaign.plan(names, trials=asked.trials, endless=endless)
    with local_services() as services, stage_on(services, seed=asked.seed) as stage:
        started = time.monotonic()
        tallies = campaign.run(stage, planned, seconds=asked.seconds, progress=_Progress())
        seconds = time.monotonic() - started
    if asked.json:
        print(report.as_json(tallies, seconds=seconds, seed=asked.seed))  # noqa: T201
    else:
        report.print_table(tallies, seconds=seconds)
    return 1 if report.total(tallies).flaws else 0


class _Progress:
    """A line every few seconds, and each defect at once."""

    def __init__(self) -> None:
        self._last = 0.0
        self._told: set[str] = set()

    def __call__(self, tallies: dict[str, Tally]) -> None:
        so_far = report.total(tallies)
        for finding in so_far.findings:
            if finding not in self._told:
                say(finding)
        self._told.update(so_far.findings)
        if time.monotonic() - self._last > PROGRESS_SECONDS:
            self._last = time.monotonic()
            now = datetime.now(tz=UTC).strftime("%H:%M:%S")
            say(f"{now} {so_far.trials:,} trials, {so_far.flaws} defects")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    usual = sum(kind.usual for kind in KINDS.values())
    parser.add_argument("--trials", type=int, help=f"how many, about; usually {usual:,}")
    parser.add_argument("--seconds", type=float, help="start no trial after this time")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same trials")
    parser.add_argument("--only", metavar="KIND", help="kinds with this text in their name")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    return parser
