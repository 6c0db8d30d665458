"""The bytes of stored versions, by digests.

`TRAINFOLD_GOLDEN=record python -m pytest tests/golden` records them. Of the real conversations, for
those who have them, only digests, counts and sizes are kept.
"""

import hashlib
import json
import re
from typing import Any

import pytest

from tests.golden.golden import compare
from tests.golden.journey import FORMATS, Journey

# Both times of a full JSON's header; those of conversations come from the sources.
TIME = re.compile(rb'("(?:created_date|last_updated)": )"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"')
SAME_LENGTH = rb'\1"YYYY-MM-DDThh:mm:ss.mmmZ"'


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def described(journey: Journey) -> dict[str, Any]:
    """Return the digests, sizes, counts and statistics of each version."""
    return {f"version {it['version']}": version(journey, it) for it in journey.ran["versions"].json}


def version(journey: Journey, document: dict[str, Any]) -> dict[str, Any]:
    counts = ("conversations", "training_pairs", "examples", "statistics")
    return {
        "warnings": len(document["warnings"]),
        **{name: document[name] for name in counts},
        **{
            format: stored(journey.objects[document["version"], format], document[format])
            for format in FORMATS
        },
    }


def stored(data: bytes, document: dict[str, Any]) -> dict[str, Any]:
    assert len(data) == document["size_bytes"]
    return {
        "digest": document["digest"],
        "size_bytes": document["size_bytes"],
        "sha256": sha256(TIME.sub(SAME_LENGTH, data, count=2)),
    }


def test_versions_of_the_samples(samples: Journey):
    compare("stored_bytes/samples", described(samples))


def test_versions_of_58_real_conversations(corpus: Journey):
    found = described(corpus)
    for each in found.values():
        text = json.dumps(each.pop("statistics"))
        each["sha256 of the statistics"] = sha256(text.encode())
    compare("stored_bytes/corpus", found)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_full_json_tells_when_its_file_was_made_and_when_it_changed(
    samples: Journey, number: int
):
    """Check the times that the digests leave out."""
    made = [
        json.loads(samples.objects[each, "json"])["training_file_metadata"] for each in (1, number)
    ]
    assert made[0]["created_date"] == made[1]["created_date"]
    assert (made[1]["created_date"] == made[1]["last_updated"]) is (number == 1)
