"""What is vendored is what was vendored, and nothing else comes from anywhere."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.console.conftest import Visit

ROOT = Path(__file__).parents[2]
VENDORED = [ROOT / "console/static/vendor", ROOT / "tests/console/vendor"]


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.parts[-3])
def test_vendored_files_are_those_that_are_listed_with_a_licence_each(folder: Path):
    listed = dict(
        reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "SHA256SUMS"
    }
    assert found == listed
    for name in found:
        assert f"{name.split('-')[0]}-LICENSE.txt" in found


def test_pages_load_from_their_own_server_alone(console: Visit):
    html = console.get("/conversations").text
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', html)
    assert len(loaded) == 5
    for address in loaded:
        answer = console.get(address)
        assert (answer.status_code, address.startswith("/static/")) == (200, True)
        assert "immutable" in answer.headers["Cache-Control"]
    for file in (ROOT / "console/static").rglob("*.css"):
        assert not re.search(
            r"url\(\s*['\"]?(?!data:)|@import", file.read_text().replace('url("data:', "")
        ), file
