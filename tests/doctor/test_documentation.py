"""docs/doctor.md has one line for each finding, and no other."""

import re
from pathlib import Path

from operations.doctor.database import DatabaseFault
from operations.doctor.store import StoreFault
from trainfold.prefect_http.diagnosis import PrefectFault
from trainfold.stack.diagnosis import StackFault

ROOT = Path(__file__).parents[2]
FAULTS = [*DatabaseFault, *StoreFault, *PrefectFault, *StackFault]


def test_every_finding_has_one_line_and_every_line_a_finding():
    text = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert sorted(documented) == sorted(fault.value for fault in FAULTS)


def test_every_finding_is_made_in_a_test():
    """A code that no test names is one that no test has made."""
    tests = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("doctor", "application")
        for path in (ROOT / "tests" / folder).glob("test_*.py")
    )
    assert [fault.value for fault in FAULTS if f'"{fault.value}"' not in tests] == []
