"""`api-token`: create, list, revoke."""

from sqlalchemy import Engine

from operations.api_tokens import authenticate
from tests.commands import Run


def test_a_token_is_printed_once_and_authenticates_until_it_is_revoked(
    trainfold: Run, engine: Engine
):
    created = trainfold("api-token", "create", "the app")
    text = created.out.strip()
    assert authenticate(engine, text)
    assert (created.code, text in created.err, "not shown again" in created.err) == (0, False, True)
    listed = trainfold("api-token", "list")
    assert "the app" in listed.out
    assert text.split("_")[2] not in listed.out + trainfold("api-token", "list", "--json").out
    assert trainfold("api-token", "revoke", "the app").code == 0
    assert authenticate(engine, text) is None
    assert trainfold("api-token", "revoke", "the app").code == 4


def test_a_name_that_is_taken_is_blocked(trainfold: Run):
    first = trainfold("api-token", "create", "the app", "--json").json
    assert (first["name"], first["last_used_at"]) == ("the app", None)
    again = trainfold("api-token", "create", "the app", "--json")
    assert (again.code, again.json["blocked"][0]["code"]) == (3, "name-taken")
    assert [token["id"] for token in trainfold("api-token", "list", "--json").json] == [first["id"]]


def test_without_tokens_the_list_says_how_to_make_one(trainfold: Run):
    assert "api-token create" in trainfold("api-token", "list").out
