import json

import pytest

from soak import campaign, report
from soak.command import main
from soak.kinds import KINDS, THROUGH_PREFECT, TOGETHER
from soak.tally import Finding, Flaw, Tally, tally_of


def test_a_usual_run_has_two_thousand_trials_of_all_kinds():
    planned = list(campaign.plan(list(KINDS), trials=None))
    assert len(planned) >= 2_000
    assert {name for name, _ in planned} == set(KINDS)
    assert len(set(planned)) == len(planned)


def test_half_of_a_usual_run_is_through_prefect_or_has_two_operations_at_once():
    usual = {name: kind.usual for name, kind in KINDS.items()}
    of_two = [*TOGETHER, *THROUGH_PREFECT]
    assert 2 * sum(usual[name] for name in of_two) >= sum(usual.values())


def test_few_trials_still_try_every_kind_and_an_endless_run_repeats_none():
    planned = list(campaign.plan(list(KINDS), trials=10))
    assert {name for name, _ in planned} == set(KINDS)
    endless = campaign.plan(["storm"], trials=3, endless=True)
    assert [next(endless)[1] for _ in range(7)] == list(range(7))


def test_tallies_add_up_and_every_flaw_counts():
    one = tally_of(
        [Finding(flaw, "…") for flaw in Flaw], label="a trial", struck=1, made=2, blocked=3
    )
    both = one + one
    assert (both.trials, both.made, both.blocked, both.flaws) == (2, 4, 6, 2 * len(Flaw))
    assert len(both.findings) == 2 * len(Flaw)


def test_the_report_shows_every_kind_and_the_sum(capsys: pytest.CaptureFixture[str]):
    tallies = {"storm": Tally(trials=7, lost=2, findings=("storm #1 of seed 1: lost: …",))}
    report.print_table(tallies, seconds=1)
    shown = capsys.readouterr().out
    assert "storm" in shown
    assert "storm #1 of seed 1: lost" in shown
    assert json.loads(report.as_json(tallies, seconds=1, seed=1))["all"]["lost"] == 2


def test_an_unknown_kind_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]):
    assert main(["--only", "earthquake"]) == 2
    assert "kill between the puts" in capsys.readouterr().err
