"""The flow that makes exports of a version."""

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from db.engine import reading
from db.exports import stored_exports
from domain.errors import Blocked, NotFound
from flows.export import export_version
from operations import resources
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_a_run_makes_what_is_asked_for_and_reports_links(library: Library):
    version = carry_out(request("Flow talks", library.add_many(2), new=True))
    carry_out(request("Flow talks", [library.add()]))
    state = export_version(
        "Flow talks", version=1, formats=["messages", "parquet"], return_state=True
    )
    assert (state.name, state.message) == ("Completed", "Version 1: 2 exports of 4 answers")
    with reading(resources.engine()) as connection:
        assert state.result() == stored_exports(connection, version)
    with get_client(sync_client=True) as client:
        (artifact,) = client.read_artifacts(
            artifact_filter=ArtifactFilter(
                key=ArtifactFilterKey(
                    any_=[f"exports-flow-talks-{version.training_file_id.hex[:8]}"]
                )
            )
        )
    assert "[Flow talks-v1-messages.jsonl](http" in artifact.data
    everything = export_version("Flow talks", return_state=True)
    assert everything.message == "Version 2: 4 exports of 6 answers"


def test_a_run_is_blocked_by_name_and_by_what_is_not_there(library: Library):
    bad = library.add()
    value = conversation(bad)
    value["training_pairs"][2]["system_prompt"] += " Be brief."
    library.store.put(f"tests/{bad}.json", as_bytes(value), content_type="application/json")
    carry_out(request("No chats", [bad], new=True))
    state = export_version("No chats", formats=["messages"], return_state=True)
    assert state.name == "Blocked"
    with pytest.raises(Blocked, match="another system prompt"):
        state.result()
    with pytest.raises(NotFound):
        export_version("No chats", version=7, return_state=True).result()
