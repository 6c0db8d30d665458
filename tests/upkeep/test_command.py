"""What `maintain` says to people."""

from uuid import uuid4

from operations import resources
from tests.commands import run_here


def test_objects_of_others_are_counted_and_left(engine, training_files):
    key = f"{uuid4()}/training.json"
    training_files.put(key, b"theirs", content_type="application/json")
    count = len(list(training_files.listed())) - 1
    ran = run_here(["maintain", "--delete"])
    assert ran.code == 0, ran.err
    assert ran.out == (
        f"Removed 0 objects, 0 bytes\n{count} objects are not trainfold's and were not touched\n"
    )
    assert resources.training_files_store().get(key, max_bytes=10) == b"theirs"
    assert key in run_here(["maintain", "--json"]).json["foreign"]
