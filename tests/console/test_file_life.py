"""Commands on the page of a training file, by forms that work without scripts."""

from urllib.parse import quote

import pytest

from db.engine import reading
from db.training_files import training_file_choices
from operations import resources
from operations.keep import read_policy
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import Visit
from tests.damaged import add_damaged
from tests.file_commands import actions, archive_and_delete, logged

NAMES = ["Spring talks", "שיחות אביב", "ש" * 120, "a?b#c&d;e", "<b>“x”"]


def path(name: str) -> str:
    return f"/training-files/{quote(name, safe='')}"


def files() -> list[tuple[str, str]]:
    with reading(resources.engine()) as connection:
        return [(file.name, file.status) for file in training_file_choices(connection)]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_renamed_archived_taken_back_and_deleted(
    console: Visit, library: Library, name: str
):
    carry_out(request("First", [library.add()], new=True))
    answer = console.post("/training-files/First/rename", {"name": name, "comment": "Better"})
    assert (answer.status_code, answer.headers["Location"]) == (303, path(name))
    page = console.page(path(name))
    assert f"“First” is “{name}” now." in page.text
    assert "as First" in page.text
    assert "Make active again" not in page.text
    assert console.post(f"{path(name)}/archive", {}).status_code == 303
    assert files() == [(name, "archived")]
    assert "Make active again" in console.page(path(name)).text
    console.post(f"{path(name)}/unarchive", {})
    assert files() == [(name, "active")]
    console.post(f"{path(name)}/archive", {})
    answer = console.post(f"{path(name)}/delete", {"confirm": name})
    assert answer.headers["Location"] == "/training-files"
    assert files() == []
    assert f"“{name}” is deleted." in console.page("/training-files").text
    assert console.get(path(name)).status_code == 404


def test_names_that_are_no_path_lead_back_to_the_files_page(console: Visit, library: Library):
    version = carry_out(request("First", [library.add()], new=True))
    answer = console.post("/training-files/First/rename", {"name": ".."})
    assert answer.headers["Location"] == f"/training-files/{version.training_file_id}"
    assert "“First” is “..” now." in console.page(answer.headers["Location"]).text
    answer = console.post(f"{answer.headers['Location']}/archive", {})
    assert answer.headers["Location"] == f"/training-files/{version.training_file_id}"
    assert files() == [("..", "archived")]


@pytest.mark.parametrize(
    ("action", "fields", "text"),
    [
        ("rename", {"name": "a/b"}, "the name looks like a path"),
        ("rename", {"name": ""}, "the name is empty"),
        ("rename", {"name": "\0"}, "control or invisible characters"),
        ("rename", {"name": "x" * 50_000}, "at most 120"),
        ("rename", {"name": "other"}, "“other” exists already"),
        ("rename", {}, "the name is empty"),
        ("delete", {"confirm": "First"}, "only an archived training file"),
        ("archive", {"comment": "x" * 501}, "Not a comment"),
        ("keep", {"last": "0"}, "it can be 1 to"),
        ("keep", {"last": "-1"}, "“last” is not a whole number"),
        ("keep", {"days": "9" * 5_000}, "“days” is not a whole number"),
        ("keep", {"days": "٣"}, "“days” is not a whole number"),
    ],
)
def test_what_is_refused_is_said_on_the_files_page(
    console: Visit, library: Library, action: str, fields: dict[str, str], text: str
):
    for name in ("First", "Other"):
        carry_out(request(name, [library.add()], new=True))
    answer = console.post(f"/training-files/First/{action}", fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/training-files/First")
    shown = console.page("/training-files/First").text
    assert "Nothing was changed." in shown
    assert text in shown
    assert files() == [("First", "active"), ("Other", "active")]


@pytest.mark.parametrize("action", ["rename", "archive", "unarchive", "delete", "keep"])
def test_a_form_of_another_page_changes_nothing(console: Visit, library: Library, action: str):
    carry_out(request("First", [library.add()], new=True))
    fields = {"name": "Other", "confirm": "First", "last": "1"}
    answer = console.post(f"/training-files/First/{action}", fields, token="forged")
    assert answer.status_code == 403
    assert actions("First") == [("create", "done")]
    assert console.get(f"/training-files/First/{action}").status_code == 405
    assert console.post(f"/training-files/None/{action}", fields).status_code == 404


def test_what_is_kept_is_set_and_shown(console: Visit, library: Library):
    carry_out(request("First", [library.add()], new=True))
    console.post("/training-files/First/keep", {"last": " 3 ", "days": "", "tagged": "on"})
    _, policy = read_policy(resources.engine(), "First")
    assert (policy.last, policy.days, policy.tagged) == (3, None, True)
    page = console.page("/training-files/First")
    assert "kept: the current version, the last 3, those with a tag" in page.text
    assert page.fields["last"] == ["3"]
    console.post("/training-files/First/keep", {"last": "", "days": ""})
    assert read_policy(resources.engine(), "First")[1].keeps_all


def test_the_log_is_a_page_also_after_the_file(console: Visit, library: Library):
    version = carry_out(request("First", [library.add()], new=True, requested_by="<i>Noor</i>"))
    console.post("/training-files/First/rename", {"name": "Second", "comment": "<b>why</b>"})
    console.post("/training-files/Second/rename", {"name": "a/b"})
    text = console.page("/training-files/Second/log").text
    assert "rename done – <b>why</b>; “First” to “Second”" in text
    assert "<i>Noor</i> create done 1 1 conversation" in text
    assert "rename refused – Not a name for a training file" in text
    archive_and_delete("Second")
    for segment in ("Second", version.training_file_id):
        assert "delete done" in console.page(f"/training-files/{segment}/log").text
    oldest = logged("Second")[-1].id
    assert console.get(f"/training-files/Second/log?before={oldest + 1}").status_code == 200
    assert console.get("/training-files/Nobody/log").status_code == 404
    assert console.get("/training-files/Second/log?before=x").status_code == 404


def test_a_refused_submission_is_in_the_log(console: Visit, library: Library):
    carry_out(request("First", [id := library.add()], new=True))
    fields = {"to": "First", "ids": str(id), "request_id": "r-1"}
    for _ in range(2):
        assert console.post("/add", fields).status_code == 409
    assert console.get("/add?to=First&read=1").status_code == 200
    assert actions("First") == [("create", "done"), ("add", "refused")]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_refuses_damage_and_takes_it_again(console: Visit, library: Library, name: str):
    carry_out(request(name, [library.add()], new=True))
    assert "Damaged text: a warning" in console.page(path(name)).text
    console.post(f"{path(name)}/damage", {"refused": "on", "comment": "Since spring"})
    page = console.page(path(name)).text
    assert f"“{name}” refuses damaged text." in page
    assert "Damaged text: refused" in page
    console.pick(add_damaged(library))
    contents = console.get(f"/add?to={quote(name, safe='')}&read=true").text
    assert "an error because the training file refuses damaged text" in contents
    console.post(f"{path(name)}/damage", {})
    assert "Damaged text: a warning" in console.page(path(name)).text
    assert console.post(f"{path(name)}/damage", {}, token="forged").status_code == 403
    assert logged(name)[1].comment == "Since spring"
