"""Every setting, with values that nobody means: a sentence names the variable, and no secret."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from console.settings import ConsoleSettings
from domain.errors import NotReady
from domain.source.limits import Limits
from operations.settings import Settings, home_directory
from tests.commands import COMMAND, Run, run

HOSTILE = (
    "", " ", "abc", "-1", "0", "1.5", "9" * 400, "1e999", "nan", "inf", "P999999999D", "PT0S",
    "true!", "[1, 2", "{}", "[]", "null", "\udcff\udcfe", "שיחות 🏮", "a\nb\x1b[31mc", "x" * 5_000,
    "http://", "http//x", "ftp://user:s3cret@host", "http://user:s3cret@host:99999999/", "~no/x",
    "postgres://user:s3cret@[::1", "user:s3cret@host", "/dev/null/x", "../..", "$(id)", "'; DROP",
)  # fmt: skip
MASKED = "s3cret"


def variables(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config["env_prefix"]
    for name in settings.model_fields:
        yield f"{prefix}{name}".upper()
    if "limits" in settings.model_fields:
        yield from (f"{prefix}LIMITS__{name}".upper() for name in Limits.model_fields)


EVERY = [(kind, name) for kind in (Settings, ConsoleSettings) for name in variables(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[name for _, name in EVERY])
def test_a_hostile_value_is_taken_or_told_in_words(
    kind: type[BaseSettings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in HOSTILE:
        monkeypatch.setenv(name, value)
        try:
            kind()
        except NotReady as problem:
            told = str(problem)
            assert told.startswith(f"{name} "), told
            assert "it has to be" in told
            assert "has to be text" not in told, f"{name} does not say what is allowed"
            assert MASKED not in told
            assert len(told) < 500
            assert told.isprintable()
            json.dumps(told).encode()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "TRAINFOLD_LIMITS__NESTING",
            "201",
            "is “201”; it has to be a whole number from 1 to 200.",
        ),
        ("TRAINFOLD_LIMITS", "{", "cannot be read; it has to be a JSON object"),
        ("TRAINFOLD_TASK_RUNNER", "celery", "is “celery”; it has to be threads or dask."),
        ("TRAINFOLD_SCHEDULED_REBUILD", "maybe", "is “maybe”; it has to be true or false."),
        ("TRAINFOLD_GARBAGE_SAFE_AGE", "PT1M", "is “PT1M”; it has to be at least 2:00:00"),
        ("TRAINFOLD_S3_ENDPOINT_URL", "me:pw@host", "is “***@host”; it has to be an address as in"),
    ],
)
def test_words_of_a_value(name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(NotReady) as raised:
        Settings()
    assert f"{name} {told}" in str(raised.value)


def test_two_mistakes_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINFOLD_TASK_RUNNER", "celery")
    monkeypatch.setenv("TRAINFOLD_LIMITS__NESTING", "deep")
    with pytest.raises(NotReady, match=r"TASK_RUNNER.*LIMITS__NESTING"):
        Settings()


@pytest.mark.parametrize("home", ["/dev/null", "/dev/null/x", "~nobody-of-this-name", "x" * 5_000])
def test_a_home_that_can_be_none(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINFOLD_HOME", home)
    with pytest.raises(NotReady, match="TRAINFOLD_HOME is “"):
        home_directory()


@pytest.mark.parametrize("content", ["{", "\x00", '{"s3_region": 3}'])
def test_a_broken_stack_file_is_named(content: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "stack.json").write_text(content)
    monkeypatch.setenv("TRAINFOLD_HOME", str(tmp_path))
    for name in ("TRAINFOLD_DATABASE_URL", "TRAINFOLD_S3_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NotReady):
        Settings()


DATABASES = (
    "abc", "http://x", "postgresql://u:s3cret@127.0.0.1:1/x", "postgresql://u:s3cret@127.0.0.1:999999/x",
    "postgresql://u:s3cret@127.0.0.1/x?sslmode=banana", "postgresql://u:s3cret@nowhere.invalid/x",
    "postgresql://u:s3cret@127.0.0.1:1/x?connect_timeout=soon", "postgresql://u:p%00q@127.0.0.1:1/x",
)  # fmt: skip


@pytest.fixture
def trainfold(engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return run


@pytest.mark.parametrize("url", DATABASES)
def test_a_command_tells_of_a_wrong_database(trainfold: Run, url: str, monkeypatch) -> None:
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", url)
    ran = trainfold("files")
    assert (ran.code in {1, 5}, ran.out) == (True, ""), ran.err
    assert MASKED not in ran.err
    as_json = trainfold("files", "--json")
    assert as_json.json["error"]["exit_code"] == ran.code == as_json.code


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://nowhere.invalid", "https://127.0.0.1:1/x"]
)
def test_a_command_tells_of_a_store_that_is_not_there(trainfold: Run, url: str, monkeypatch):
    monkeypatch.setenv("TRAINFOLD_S3_ENDPOINT_URL", url)
    monkeypatch.setenv("TRAINFOLD_S3_ACCESS_KEY", "key")
    monkeypatch.setenv("TRAINFOLD_S3_SECRET_KEY", "secret")
    ran = trainfold("maintain")
    assert ran.code == 5, ran.err


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("TRAINFOLD_PREFECT_API_URL", "not an address", 1),
        ("PREFECT_API_URL", "not an address", 5),
        ("TRAINFOLD_PREFECT_API_URL", "http://127.0.0.1:1/api", 5),
        ("TRAINFOLD_HOME", "/dev/null/x", 1),
        ("TRAINFOLD_CONSOLE_PORT", "\udcff", 1),
    ],
)
def test_a_program_ends_with_words(name: str, value: str, code: int, stack) -> None:
    # Tests before this one may have set the session's server, which goes first.
    own = {key: it for key, it in os.environ.items() if not key.endswith("PREFECT_API_URL")}
    environment = own | {name: value}
    words = ["console"] if "CONSOLE" in name else ["deploy"]
    ran = subprocess.run(
        [COMMAND, *words], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in ran.stderr
    assert ran.returncode == code, ran.stderr
    assert ran.stderr.strip()
