"""From a selection to a run, without scripts and without a worker."""

from uuid import uuid4

import pytest

from flows.add_conversations import add_conversations
from soak.building import as_bytes, conversation, profile
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.api.test_plans import work
from tests.console.conftest import Page, Visit
from tests.rest import rest


@pytest.fixture
def count_runs(deployments: str):
    """How many flow runs the Prefect server knows."""

    def count() -> int:
        return int(rest(deployments).post("/flow_runs/count", json={}).json())

    return count


def form_of(page: Page, **changes: object) -> dict[str, object]:
    names = ("to", "ids", "request_id")
    return {name: page.fields[name][0] for name in names} | changes


def test_what_is_submitted_is_what_was_previewed_once(console: Visit, library: Library, count_runs):
    one, two = library.add_many(2)
    console.pick(two, one)
    page = console.page("/add?new=1&read=true")
    assert page.fields["ids"] == [f"{two} {one}"]
    before = count_runs()
    # Another tab changes the selection meanwhile.
    console.post("/conversations", {"do": "clear"})
    fields = form_of(page, name="Once", description="What for")
    answers = [console.post("/add", fields) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    (address,) = {answer.headers["location"] for answer in answers}
    assert count_runs() == before + 1
    text = console.page(address).text
    assert "Once" in text
    assert "Waiting for a worker." in text


def test_nothing_is_submitted_while_anything_blocks(console: Visit, library: Library, count_runs):
    member, fine, unfinished, empty, stranger = library.add_many(5)
    carry_out(request("Has one", [member], new=True))
    with library.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE trainfold.conversations SET enrichment_status = 'enriched' "
            "WHERE conversation_id = %s",
            (unfinished,),
        )
    path = f"tests/{empty}.json"
    library.store.put(path, b"{}", content_type="application/json")
    foreign = as_bytes(conversation(stranger) | {"consultant_profile": profile(name="Another")})
    library.store.put(f"tests/{stranger}.json", foreign, content_type="application/json")
    before = count_runs()
    told = {
        member: "It is in this training file since version 1.",
        unfinished: "Its enrichment is “enriched”, not “completed”.",
        empty: "cannot be added",
        stranger: "Another",
    }
    for id, words in told.items():
        console.post("/conversations", {"do": "clear"})
        console.pick(fine, id)
        page = console.page("/add?to=Has+one&read=true")
        assert words in page.text, words
        assert page.fields["next"] == ["preview"]
        assert page.fields["ids"] == [f"{fine} {id}", str(fine)]
        assert "Select the 1 that is free" in page.text
        answer = console.post("/add", form_of(page))
        assert answer.status_code == 409
        assert words in Page(answer.text).text
        free = {"next": "preview", "to": "Has one", "ids": page.fields["ids"][1], "at": "size=25"}
        answer = console.post("/add/select", free)
        assert answer.headers["location"] == "/add?to=Has+one&at=size%3D25"
        page = console.page("/add?to=Has+one&read=true")
        assert "Nothing blocks. Version 2 will hold:" in page.text
        assert "1 → 2" in page.text
    assert count_runs() == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "the name is empty"),
        ("a/b", "the name looks like a path"),
        ("x" * 121, "the name has 121 characters"),
        ("has ONE", "A training file “Has one” exists already"),
    ],
)
def test_a_name_that_is_not_free_is_told_and_kept(
    console: Visit, library: Library, name: str, words: str
):
    member, fine = library.add_many(2)
    carry_out(request("Has one", [member], new=True))
    console.pick(fine)
    page = console.page("/add?new=1")
    answer = console.post("/add", form_of(page, name=name, description="Kept words"))
    assert answer.status_code == 409
    assert words in answer.text
    assert "Kept words" in answer.text


def test_warnings_are_told_before_and_do_not_block(console: Visit, library: Library):
    told = conversation(id := uuid4())
    for pair in told["training_pairs"]:
        pair["conversation_metadata"]["emotional_arc_key"] = "grief_to_steadiness"
    library.add(id, data=as_bytes(told))
    console.pick(id)
    text = console.page("/add?new=1&read=true").text
    assert "Nothing blocks. Version 1 will hold:" in text
    assert "1 warning of 1 cause; it does not block" in text
    places = len(told["training_pairs"])
    cause = f"“grief_to_steadiness” is not in the v4 vocabulary 1 conversation, {places} places"
    assert cause in text


def test_equal_warnings_of_many_conversations_are_one_cause_on_every_page(
    console: Visit, library: Library
):
    ids = [uuid4() for _ in range(3)]
    for id in ids:
        told = conversation(id)
        told["training_pairs"][0]["conversation_metadata"]["conversation_phase"] = "פתיחה<b>"
        library.add(id, data=as_bytes(told))
    console.pick(*ids)
    carry_out(request("Warned", ids, new=True))
    for path in ("/add?new=1&read=true", "/training-files/Warned"):
        html = console.get(path).text
        assert "“פתיחה&lt;b&gt;” is not in the v4 vocabulary" in html, path
        assert html.count("3 conversations, 3 places") == 1, path
        assert all(f'href="/conversations/{id}"' in html for id in ids), path


def test_the_page_of_a_run_has_its_warnings_by_cause(
    console: Visit, library: Library, deployments: str
):
    told = conversation(id := uuid4())
    for pair in told["training_pairs"]:
        pair["conversation_metadata"]["emotional_arc_key"] = "grief_to_steadiness"
    library.add(id, data=as_bytes(told))
    asked = {"name": "Warned run", "ids": str(id), "request_id": str(uuid4())}
    run = console.post("/add", asked).headers["location"]
    assert work(deployments, asked["request_id"], add_conversations).is_completed()
    for path in (run, f"{run}/progress"):
        text = console.page(path).text
        assert "Version 1 of Warned run is done." in text
        assert f"1 conversation, {len(told['training_pairs'])} places" in text


def test_an_empty_selection_says_where_to_begin(console: Visit):
    assert "Nothing is selected." in console.page("/add?new=1").text
    assert "Nothing is selected." in console.page("/add?to=Nowhere").text


def test_forged_ids_are_reasons_not_errors(console: Visit, library: Library):
    library.add()
    fields = {"to": "", "name": "Forged", "request_id": "r-1"}
    assert "Nothing is selected." in console.post("/add", fields | {"ids": ""}).text
    for ids in ("x", "x " * 81, f"{uuid4()}", "<script>"):
        answer = console.post("/add", fields | {"ids": ids})
        assert answer.status_code == 409, ids
        assert "Blocked" in answer.text or "cannot be added" in answer.text, ids
    answer = console.post("/add", fields | {"ids": str(library.add()), "request_id": "../../x"})
    assert "A request id has" in answer.text


def test_without_prefect_the_pages_hold_and_say_what_is_missing(
    console: Visit, library: Library, monkeypatch
):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    carry_out(request("Here", [library.add()], new=True))
    assert "does not answer" in console.page("/training-files/Here/runs").text
    assert console.get("/training-files/Here").status_code == 200
    console.pick(library.add())
    answer = console.post("/add", form_of(console.page("/add?to=Here")))
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
    assert "1 / 80 selected" in console.page("/conversations").text


def test_a_run_that_is_not_there_is_told(console: Visit, deployments: str):
    assert console.get(f"/runs/{uuid4()}").status_code == 404
    assert console.get("/runs/not-an-id").status_code == 404
