"""The command line's names: commands by panel, and each one's usage and options.

`TRAINFOLD_GOLDEN=record python -m pytest tests/golden` records them. What `--help` says in prose is
not compared.
"""

import re
from collections import defaultdict
from itertools import takewhile

import pytest

from tests.commands import run_here
from tests.golden.golden import compare

PANEL = re.compile(r"╭─ (.+?) ─+╮")
OPTION = re.compile(r"-[a-z]|--[a-z-]+")


def usage_and_panels(*words: str) -> tuple[str, dict[str, list[list[str]]]]:
    """Return the usage of a command, and the rows of its help's panels as cells."""
    ran = run_here([*words, "--help"])
    assert ran.code == 0
    usage, panel = "", ""
    panels: dict[str, list[list[str]]] = defaultdict(list)
    for line in map(str.strip, ran.out.splitlines()):
        if line.startswith("Usage: "):
            _, _, usage = line.partition("trainfold ")
        elif heading := PANEL.fullmatch(line):
            panel = heading[1]
        elif line.startswith("│"):
            panels[panel].append(re.split(r"\s{2,}", line.strip("│* ")))
    return usage, panels


def options(rows: list[list[str]]) -> list[str]:
    return [name for row in rows for name in takewhile(OPTION.fullmatch, row)]


def test_commands_and_their_options(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "400")
    usage, panels = usage_and_panels()
    found = {"usage": usage, "options": options(panels.pop("Options")), "commands": {}}
    for panel, rows in panels.items():
        found["commands"][panel] = {}
        names = [name for name, *_ in rows]
        while names:
            name = names.pop(0)
            usage, own = usage_and_panels(*name.split())
            found["commands"][panel][name] = {"usage": usage, "options": options(own["Options"])}
            names += [f"{name} {subcommand}" for subcommand, *_ in own["Commands"]]
    compare("commands", found)
