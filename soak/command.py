"""Run many trials on a stack of their own and print a table; exit with 1 if any defect is found."""

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from soak import campaign, report
from soak.kinds import KINDS, PREFECT
from soak.local_stack import local_services, say
from soak.stage import stage_on
from soak.tally import Tally

PROGRESS_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    names = [name for name in KINDS if options.only is None or options.only in name]
    if not names:
        say(f"No kind has “{options.only}” in its name. The kinds are: {', '.join(KINDS)}.")
        return 2
    skipped = {name: why for name in names if (why := KINDS[name].unavailable())}
    for name, why in skipped.items():
        say(f"Skipped, {name}: {why}.")
        names.remove(name)
    endless = options.seconds is not None and options.trials is None
    planned = campaign.plan(names, trials=options.trials, endless=endless)
    flows = any(name.startswith(PREFECT) for name in names)
    with (
        local_services(with_prefect=flows) as services,
        stage_on(services, seed=options.seed, with_flows=flows) as stage,
    ):
        started = time.monotonic()
        tallies = campaign.run(stage, planned, seconds=options.seconds, progress=_Progress())
        seconds = time.monotonic() - started
    if options.json:
        print(report.as_json(tallies, seconds=seconds, seed=options.seed))  # noqa: T201
    else:
        report.print_table(tallies, seconds=seconds)
    return 1 if report.total(tallies).flaws else 0


class _Progress:
    """Prints a line every few seconds, and every defect at once."""

    def __init__(self) -> None:
        self._last = 0.0
        self._printed: set[str] = set()

    def __call__(self, tallies: dict[str, Tally]) -> None:
        so_far = report.total(tallies)
        for finding in so_far.findings:
            if finding not in self._printed:
                say(finding)
        self._printed.update(so_far.findings)
        if time.monotonic() - self._last > PROGRESS_SECONDS:
            self._last = time.monotonic()
            now = datetime.now(tz=UTC).strftime("%H:%M:%S")
            say(f"{now} {so_far.trials:,} trials, {so_far.flaws} defects")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    usual = sum(kind.usual for kind in KINDS.values())
    parser.add_argument("--trials", type=int, help=f"approximate number; default {usual:,}")
    parser.add_argument("--seconds", type=float, help="start no trial after this time")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same trials")
    parser.add_argument("--only", metavar="KIND", help="only kinds with this text in their name")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    return parser
