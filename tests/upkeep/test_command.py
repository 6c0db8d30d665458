"""What `maintain` says to people."""

from uuid import uuid4

from operations import resources
from tests.commands import run_here
from tests.conftest import emptied_bucket


def test_objects_of_others_are_counted_and_left(engine):
    training_files = emptied_bucket()
    key = f"{uuid4()}/training.json"
    training_files.put(key, b"theirs", content_type="application/json")
    ran = run_here(["maintain", "--delete"])
    assert ran.code == 0, ran.err
    assert ran.out == (
        "Removed 0 objects, 0 bytes\n1 object is not trainfold's and was not touched\n"
    )
    assert resources.training_files_store().get(key, max_bytes=10) == b"theirs"
    assert key in run_here(["maintain", "--json"]).json["foreign"]
