"""Tokens: what is stored of them, and which text authenticates."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from db.api_tokens import record_use
from db.engine import writing
from domain.errors import Blocked, NotFound
from operations.api_tokens import authenticate, create_token, list_tokens, revoke_token


def test_a_token_has_256_random_bits_and_only_their_digest_is_stored(engine: Engine):
    texts = {create_token(engine, f"app {n}", created_by="noor")[1] for n in range(3)}
    secrets = {re.fullmatch(r"trainfold_[0-9a-f]{12}_([0-9a-f]{64})", it)[1] for it in texts}
    assert len(secrets) == 3
    with engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM api_tokens")).all())
    assert [secret for secret in secrets if secret in rows] == []


def test_a_tokens_text_authenticates_and_nothing_like_it_does(engine: Engine):
    token, one = create_token(engine, "one", created_by="noor")
    _, other = create_token(engine, "other", created_by="noor")
    assert authenticate(engine, one) == token
    prefix, id, secret = one.split("_")
    for wrong in (
        "",
        "x" * 100_000,
        id,
        secret,
        f"{one} ",
        f"{one}\0",
        one.upper(),
        one[:-1],
        f"{one}0",
        f"{prefix}_{id}_{'0' * 64}",
        f"{prefix}_{'0' * 12}_{secret}",
        f"{prefix}_{id}_{other.split('_')[2]}",
        f"{prefix}_{id}_{token.secret_sha256}",
    ):
        assert authenticate(engine, wrong) is None, wrong[:100]


def test_a_revoked_token_is_refused_and_its_name_is_free_again(engine: Engine):
    _, old = create_token(engine, "app", created_by="noor")
    with pytest.raises(Blocked, match="exists already"):
        create_token(engine, " app ", created_by="ines")
    revoke_token(engine, "app")
    assert authenticate(engine, old) is None
    with pytest.raises(NotFound, match="no active token"):
        revoke_token(engine, "app")
    new, text = create_token(engine, "app", created_by="ines")
    assert authenticate(engine, text) == new
    assert [bool(token.revoked_at) for token in list_tokens(engine)] == [True, False]


def test_the_last_use_is_recorded_once_a_minute(engine: Engine):
    def last_use():
        (token,) = list_tokens(engine)
        return token.last_used_at

    token, text = create_token(engine, "app", created_by="noor")
    assert last_use() is None
    authenticate(engine, text)
    first = last_use()
    authenticate(engine, text)
    assert last_use() == first
    with writing(engine) as connection:
        record_use(connection, token, precision=timedelta(0))
    assert last_use() > first


@pytest.mark.parametrize("name", ["", " ", "a\0b", "a/b", "x" * 121, "\ud800"])
def test_a_token_has_a_name_that_a_version_can_show(engine: Engine, name: str):
    with pytest.raises(Blocked, match="Not a name for a token"):
        create_token(engine, name, created_by="noor")
