from uuid import uuid4

from tests.asking import carry_out, request
from tests.conftest import Library
from tests.rest import rest
from trainfold.stack import Service


def test_check_says_that_all_may_be_added(trainfold, library: Library):
    ids = library.add_many(2)
    ran = trainfold("check", "Talks", *ids, "--new", "--json")
    assert ran.code == 0
    assert ran.json["eligible"] == [str(id) for id in ids]


def test_check_blocks_with_reasons_as_json(trainfold, library: Library):
    unknown = uuid4()
    ran = trainfold("check", "Talks", library.add(), unknown, "--new", "--json")
    assert ran.code == 3
    assert ran.json == {
        "blocked": [
            {
                "conversation_id": str(unknown),
                "code": "unknown-conversation",
                "reason": "No conversation has this id.",
                "path": None,
            }
        ]
    }


def test_nothing_is_submitted_by_check_nor_by_an_add_that_is_blocked(
    trainfold, prefect_server, library: Library
):
    def flow_runs() -> int:
        return rest(prefect_server).post("/flow_runs/count").json()

    before = flow_runs()
    good = library.add()
    assert trainfold("check", "Talks", good, "--new").code == 0
    assert trainfold("check", "Talks", uuid4(), "--new").code == 3
    ran = trainfold("add", "Talks", good, uuid4(), "--new")
    assert ran.code == 3
    assert "nothing was written" in ran.err
    assert flow_runs() == before


def test_ids_come_one_a_line_from_standard_input(trainfold, library: Library):
    ids = library.add_many(3)
    lines = "\n".join(map(str, ids)) + "\n\n"
    ran = trainfold("check", "Talks", "--ids-from", "-", "--new", "--json", stdin=lines)
    assert ran.json["eligible"] == [str(id) for id in ids]


def test_a_batch_is_named_by_id_or_by_name(trainfold, library: Library):
    ids = library.add_many(3)
    batch = library.batch(*ids, name="Tuesday")
    for wanted in (batch, "Tuesday"):
        ran = trainfold("check", "Talks", "--batch", wanted, "--new", "--json")
        assert ran.json["eligible"] == [str(id) for id in ids]


def test_a_batch_that_is_not_there_is_exit_code_4(trainfold):
    ran = trainfold("check", "Talks", "--batch", "Nowhere", "--new", "--json")
    assert ran.code == 4
    assert ran.json["error"]["exit_code"] == 4


def test_two_ways_of_choosing_are_a_usage_error(trainfold):
    assert trainfold("check", "Talks", uuid4(), "--batch", "x").code == 2
    assert trainfold("check", "Talks").code == 2


def test_a_service_that_is_away_is_exit_code_5(trainfold, monkeypatch):
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    ran = trainfold("files", "--json")
    assert ran.code == 5
    assert "does not answer" in ran.json["error"]["message"]


def test_a_prefect_server_that_is_away_is_exit_code_5(trainfold, library, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    ran = trainfold("add", "Talks", library.add(), "--new", "--json")
    assert ran.code == 5
    assert "Prefect server at http://127.0.0.1:9/api" in ran.json["error"]["message"]


def test_a_member_is_refused_with_its_version(trainfold, library: Library):
    id = library.add()
    carry_out(request("Talks", [id], new=True))
    ran = trainfold("check", "talks", id, "--json")
    assert ran.json["blocked"][0]["code"] == "already-member"


def test_help_names_every_command_and_needs_no_service(trainfold):
    ran = trainfold("--help")
    assert ran.code == 0
    for command in ("import", "conversations", "check", "add", "rebuild", "maintain", "files",
                    "show", "versions",
                    "download", "url", "verify", "up", "down", "status", "demo"):  # fmt: skip
        assert f" {command} " in ran.out


def test_status_tells_what_runs_without_a_password(trainfold, stack):
    ran = trainfold("status", "--json")
    services = {each["service"]: each for each in ran.json["services"]}
    assert services[Service.POSTGRES]["running"]
    assert "@" not in services[Service.POSTGRES]["address"]
