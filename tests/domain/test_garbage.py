"""Which objects maintenance may remove."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.versions.garbage import GarbageRule, Standing
from domain.versions.naming import INSTALLATION_KEY, export_key, rebuild_key, version_key
from tests.domain.making import FILE_ID

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
UNKNOWN = UUID(int=9)
KEPT, GARBAGE, FOREIGN = Standing.KEPT, Standing.GARBAGE, Standing.FOREIGN


def own(id: UUID = FILE_ID, number: int = 2) -> str:
    return version_key(id, number, request_id="r", attempt="0123abcd", format="json")


def export(file_name: str, id: UUID = FILE_ID) -> str:
    return export_key(id, 2, request_id="r", attempt="0123abcd", file_name=file_name)


RULE = GarbageRule(
    referenced={own(number=1)},
    training_file_ids={FILE_ID},
    bound_at=NOW - 10 * DAY,
    now=NOW,
    safe_age=DAY,
)


@pytest.mark.parametrize(
    ("key", "age", "standing"),
    [
        (own(number=1), 20 * DAY, KEPT),
        (INSTALLATION_KEY, 10 * DAY, KEPT),
        (own(), 2 * DAY, GARBAGE),
        (own(), 20 * DAY, GARBAGE),
        (own(), DAY, KEPT),
        (own(), timedelta(0), KEPT),
        (rebuild_key(FILE_ID, request_id="r", attempt="0123abcd", format="json"), 2 * DAY, GARBAGE),
        (export("messages.jsonl"), 2 * DAY, GARBAGE),
        (export("prompt-completion.validation.jsonl"), 2 * DAY, GARBAGE),
        (export("examples.parquet"), DAY, KEPT),
        (export("examples.parquet", UNKNOWN), 20 * DAY, FOREIGN),
        (export("messages.json"), 3 * DAY, FOREIGN),
        (export("messages.test.jsonl"), 3 * DAY, FOREIGN),
        (export("more/messages.jsonl"), 3 * DAY, FOREIGN),
        (export("README.md"), 3 * DAY, FOREIGN),
        (own(UNKNOWN), 2 * DAY, GARBAGE),
        (own(UNKNOWN), DAY / 2, KEPT),
        (own(UNKNOWN), 10 * DAY, FOREIGN),
        (own(UNKNOWN), 20 * DAY, FOREIGN),
        (f"{FILE_ID}/training.json", 3 * DAY, FOREIGN),
        (f"{FILE_ID}/v1/training.json", 3 * DAY, FOREIGN),
        (f"{FILE_ID}/training.json", timedelta(0), FOREIGN),
    ],
)
def test_an_object_is_kept_or_garbage_or_not_ours(key, age, standing):
    assert RULE.judge(key, NOW - age) is standing
