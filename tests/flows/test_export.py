"""The flow that makes exports of a version."""

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from db.engine import reading
from db.exports import stored_exports
from domain.errors import Blocked, NotFound
from flows.export import export_version
from operations import resources
from operations.fitness import fitness
from operations.splits import assigned_sides, sides_of
from operations.tags import tag_version
from soak.building import as_bytes, conversation
from tasks.markdown import artifact_key, inline, key_by_name
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.spoken import add_spoken

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_a_run_makes_what_is_asked_for_and_reports_links(library: Library):
    version = carry_out(request("Flow talks", library.add_many(2), new=True))
    carry_out(request("Flow talks", [library.add()]))
    state = export_version(
        "Flow talks", version="1", formats=["messages", "parquet"], return_state=True
    )
    assert (state.name, state.message) == ("Completed", "Version 1: 2 exports of 4 answers")
    with reading(resources.engine()) as connection:
        assert state.result() == stored_exports(connection, version)
    key = artifact_key("exports", "Flow talks", version.training_file_id.hex)
    assert "[Flow talks-v1-messages.jsonl](http" in artifact(key)
    everything = export_version("Flow talks", return_state=True)
    assert everything.message == "Version 2: 4 exports of 6 answers"


def test_a_run_reports_what_trainers_would_learn(library: Library):
    ids = library.add_many(4)
    value = conversation(ids[0])
    value["training_pairs"][-1]["target_response"] = "Open it first, and then the \\"
    library.store.put(f"tests/{ids[0]}.json", as_bytes(value), content_type="application/json")
    name = f"שיחות | *{'x' * 90}* www.evil.e"
    version = carry_out(request(name, ids, new=True))
    assert export_version(name, formats=["messages"], return_state=True).is_completed()
    text = artifact(key_by_name("fitness", name))
    report = fitness(resources.engine(), resources.training_files_store(), version)
    for verdict in report.verdicts:
        sign = "fit" if verdict.is_fit else "**not fit**"
        row = f"{verdict.whole:,} | {verdict.cut:,} | {verdict.dropped:,} | {sign} |"
        assert f"| {verdict.trainer} | {verdict.setting} | {verdict.max_length:,} | {row}" in text
    assert f"longest {report.lengths.maximum:,} tokens" in text
    assert "- Damage: 1 answers, 0 more after damage; 7 are clean" in text
    assert "- Split: not assigned." in text
    assert text.startswith(f"# {inline(name)}, version 1: fitness\n")
    sides = assigned_sides(
        resources.engine(), resources.training_files_store(), version, validation=0.5
    )
    export_version(name, formats=["messages"])
    (arc,) = fitness(resources.engine(), resources.training_files_store(), version).split.arcs
    row = f"| {arc.arc} | {arc.train} | {arc.validation} | 0 |".replace("_", "\\_")
    assert (row in artifact(key_by_name("fitness", name)), len(sides)) == (True, 4)


def test_a_run_splits_a_version_that_a_tag_names(library: Library):
    ids = [add_spoken(library, n) for n in range(8)]
    version = carry_out(request("Tagged talks", ids, new=True))
    carry_out(request("Tagged talks", [library.add()]))
    tag_version(
        resources.engine(), "Tagged talks", "1", "שלב-א", protected=False, requested_by="Noor"
    )
    state = export_version(
        "Tagged talks", version="שלב-א", formats=["messages", "parquet"], validation=0.5,
        return_state=True,
    )  # fmt: skip
    assert state.is_completed(), state.message
    parts = [(export.number, export.format, export.sides) for export in state.result()]
    assert parts == [
        (1, "messages", "train"), (1, "messages", "validation"), (1, "parquet", "both")
    ]  # fmt: skip
    key = artifact_key("exports", "Tagged talks", version.training_file_id.hex)
    assert "[Tagged talks-v1-examples.split.parquet](http" in artifact(key)
    assert set(sides_of(resources.engine(), version).values()) == {"train", "validation"}
    state = export_version("Tagged talks", validation=float("nan"), return_state=True)
    assert (state.name, "between 0 and 1" in state.message) == ("Blocked", True)
    with pytest.raises(NotFound, match="no version with the tag"):
        export_version("Tagged talks", version="of spring", return_state=True).result()


def artifact(key: str) -> str:
    """Return the newest artifact with this key."""
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])),
            sort=ArtifactSort.CREATED_DESC,
        )
    return str(found[0].data)


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
        export_version("No chats", version="7", return_state=True).result()
