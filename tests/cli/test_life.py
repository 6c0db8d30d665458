"""What the commands on a training file say to people, and with which exit code."""

import re
from datetime import timedelta

import pytest

from domain.versions.retention import KeepPolicy
from operations import resources
from operations.keep import read_policy
from operations.sweep import sweep_store
from tests.asking import carry_out, request
from tests.commands import run_here
from tests.damaged import add_damaged


@pytest.fixture
def spring(engine, library):
    return carry_out(request("Spring", [library.add()], new=True))


def test_a_file_from_its_first_name_to_its_log_after_deletion(spring):
    renamed = run_here(["rename", "spring", "שיחות אביב"])
    assert (renamed.code, renamed.out) == (0, "“spring” is “שיחות אביב” now.\n")
    assert run_here(["archive", "שיחות אביב"]).out == "“שיחות אביב” is archived.\n"
    assert "archived" in run_here(["files"]).out
    assert run_here(["unarchive", "שיחות אביב"]).out == "“שיחות אביב” is active.\n"
    run_here(["archive", "שיחות אביב"])
    deleted = run_here(["delete", "שיחות אביב", "--confirm", "שיחות אביב", "--comment", "Over."])
    assert deleted.out == "“שיחות אביב” is deleted; its name is free.\n"
    assert f"trainfold log {spring.training_file_id}" in deleted.err
    id = str(spring.training_file_id)
    assert [entry["action"] for entry in run_here(["log", id, "--json"]).json] == [
        "delete", "archive", "unarchive", "archive", "rename", "create",
    ]  # fmt: skip
    log = run_here(["log", id]).out
    assert "“Spring” to “שיחות אביב”" in log
    assert "Over." in log


def test_versions_show_other_names_and_releases_where_there_are_any(spring, library):
    assert "made as" not in run_here(["versions", "Spring"]).out
    carry_out(request("Spring", [library.add()]))
    run_here(["rename", "Spring", "Summer"])
    run_here(["keep", "Summer", "--last", "1"])
    engine, store = resources.engine(), resources.training_files_store()
    sweep_store(engine, store, safe_age=timedelta(minutes=-1), delete=True)
    head, current, released = run_here(["versions", "Summer"]).out.splitlines()
    assert head.endswith("made as  released")
    assert current.endswith("Spring")
    assert re.search(r"Spring   \d{4}-\d\d-\d\d$", released)
    for words in (["verify"], ["download", "--format", "json"], ["url", "--format", "json"]):
        ran = run_here([*words, "Summer", "--version", "1"])
        assert ran.code == 4
        assert "Version 1 of “Summer” was released on" in ran.err
        assert "still there: 2." in ran.err
    export = ["export", "Summer", "--version", "1", "--format", "messages", "-o", "-"]
    assert run_here(export).code == 4


def test_a_deletion_without_a_name_to_confirm_it_is_a_usage_error(spring):
    run_here(["archive", "Spring"])
    ran = run_here(["delete", "Spring"])
    assert ran.code == 2
    assert "give --confirm NAME" in ran.err
    wrong = run_here(["delete", "Spring", "--confirm", "spring"])
    assert wrong.code == 3
    assert "not-confirmed" in wrong.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["rename", "No file", "New"], 4),
        (["rename", "Spring", "a/b"], 3),
        (["archive", "No file"], 4),
        (["delete", "Spring", "--confirm", "Spring"], 3),
        (["keep", "No file"], 4),
        (["keep", "Spring", "--last", "0"], 3),
        (["keep", "Spring", "--last", "x"], 2),
        (["keep", "Spring", "--all", "--last", "2"], 2),
        (["log", "No file"], 4),
        (["log", "Spring", "--limit", "0"], 2),
        (["archive", "Spring", "--comment", "x" * 501], 3),
    ],
)
def test_what_cannot_be_done_has_its_exit_code(spring, words, code):
    assert run_here(words).code == code


def test_a_policy_is_set_printed_and_taken_back(spring):
    assert run_here(["keep", "Spring"]).out == "Of “Spring”, maintenance keeps all versions.\n"
    kept = run_here(["keep", "spring", "--last", "3", "--days", "30", "--tagged"])
    assert kept.out == (
        "Of “Spring”, maintenance keeps the current version, the last 3, those of the last 30 "
        "days, those with a tag.\n"
    )
    policy = KeepPolicy(last=3, days=30, tagged=True)
    assert read_policy(resources.engine(), "Spring") == ("Spring", policy)
    assert run_here(["keep", "Spring", "--json"]).json == {
        "training_file": "Spring", "all": False, "last": 3, "days": 30, "tagged": True,
    }  # fmt: skip
    assert run_here(["keep", "Spring", "--all"]).out.endswith("keeps all versions.\n")


def test_a_refused_add_is_in_the_log_and_a_check_is_not(spring, library):
    assert run_here(["check", "Spring", "no-id"]).code == 3
    assert len(run_here(["log", "Spring", "--json"]).json) == 1
    words = ["add", "Spring", "no-id", "--request-id", "r-1", "--as", "Noor", "--json"]
    for _ in range(2):
        assert run_here(words).code == 3
    refused, created = run_here(["log", "Spring", "--json"]).json
    assert (created["action"], created["outcome"]) == ("create", "done")
    assert (refused["action"], refused["outcome"], refused["by"]) == ("add", "refused", "Noor")
    assert (refused["request_id"], refused["detail"]["count"]) == ("r-1", 1)
    assert refused["detail"]["reasons"][0]["code"] == "not-an-id"


def test_damage_is_refused_accepted_and_told(spring, library):
    assert run_here(["damage", "Spring"]).out == (
        "“Spring” takes conversations with damaged text.\n"
    )
    assert run_here(["damage", "spring", "--refuse"]).out == (
        "“Spring” refuses conversations with damaged text.\n"
    )
    id = str(add_damaged(library))
    checked = run_here(["check", "Spring", id, "--json"])
    assert checked.code == 3
    assert [reason["code"] for reason in checked.json["blocked"]] == ["cut-off"]
    assert run_here(["show", "Spring", "--json"]).json["refuses_damage"] is True
    run_here(["damage", "Spring", "--accept"])
    assert run_here(["check", "Spring", id]).code == 0
    assert run_here(["damage", "No talks", "--refuse"]).code == 4
