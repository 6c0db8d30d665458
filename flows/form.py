"""Types of the flows' parameters, whose schema Prefect's API and UI check before a run exists.

The limits are only in the schema. A caller may switch that check off; then the gate judges the
request and gives its reasons.

Prefect checks a form on its server's event loop, and a caller may send 500 KB: the time that a
pattern takes must be linear in the text. Repeated ids are left to the gate.
"""

from typing import Annotated, Any

from pydantic import Field

from domain.exports import ExportFormat
from domain.versions.matching import MAX_CONDITIONS, MAX_VALUE_LENGTH
from domain.versions.naming import MAX_NAME_LENGTH, MAX_REQUEST_ID_LENGTH
from domain.versions.plans import MAX_PLAN_ID_LENGTH
from domain.versions.requests import MAX_ASKER_LENGTH, MAX_CONVERSATIONS, MAX_DESCRIPTION_LENGTH
from domain.versions.tags import MAX_TAG_LENGTH

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BETWEEN = r"[\s,;]"
_OTHERS = f"(?:{_BETWEEN}+{_UUID}){{0,{MAX_CONVERSATIONS - 1}}}"


def _limited(**schema: Any) -> Any:
    return Field(json_schema_extra=schema)


TrainingFileName = Annotated[
    str,
    _limited(
        minLength=1,
        maxLength=MAX_NAME_LENGTH,
        # Neither blank nor a path.
        pattern=r"^\s*[^/\\\s][^/\\]*$",
        examples=["Spring talks"],
    ),
]
TrainingFileNameOrNone = Annotated[
    str, _limited(maxLength=MAX_NAME_LENGTH, pattern=r"^[^/\\]*$", examples=["Spring talks"])
]
ConversationId = Annotated[
    str, _limited(pattern=f"^{_UUID}$", examples=["3c045402-b8f1-4633-ba1e-6ffb0666dbed"])
]
ConversationIds = Annotated[
    list[ConversationId],
    _limited(title="One by one", minItems=1, maxItems=MAX_CONVERSATIONS),
]
PastedIds = Annotated[
    str,
    _limited(
        title="Pasted",
        description="Ids with white space, commas or semicolons between them.",
        pattern=f"^{_BETWEEN}*{_UUID}{_OTHERS}{_BETWEEN}*$",
    ),
]
Description = Annotated[
    str, _limited(maxLength=MAX_DESCRIPTION_LENGTH, examples=["What the pilot learns from"])
]
Reason = Annotated[
    str,
    _limited(minLength=1, maxLength=MAX_DESCRIPTION_LENGTH, examples=["The client asked for it"]),
]
ReasonOrNone = Annotated[str, _limited(maxLength=MAX_DESCRIPTION_LENGTH)]
VersionReference = Annotated[
    # No pattern: what letters are in all scripts is not for a pattern to say.
    str, _limited(minLength=1, maxLength=MAX_TAG_LENGTH, examples=["3", "reviewed"])
]
Asker = Annotated[str, _limited(minLength=1, maxLength=MAX_ASKER_LENGTH)]
RequestId = Annotated[
    str,
    # An empty text means none: Prefect's form shows an optional text as two tabs.
    _limited(pattern=f"^[A-Za-z0-9_-]{{0,{MAX_REQUEST_ID_LENGTH}}}$", examples=["spring-1"]),
]
ValidationShare = Annotated[
    # 0 means none: Prefect's form shows an optional number as two tabs.
    float, _limited(minimum=0, exclusiveMaximum=1, examples=[0.1])
]
PlanId = Annotated[
    str, _limited(pattern=f"^[A-Za-z0-9_-]{{0,{MAX_PLAN_ID_LENGTH}}}$", examples=["backfill-1"])
]
Condition = Annotated[
    str,
    _limited(
        minLength=3,
        # A field's name and a value, as `domain.versions.matching` reads them.
        maxLength=MAX_VALUE_LENGTH + 20,
        pattern=r"^\s*[A-Za-z_-]+\s*[<>]?=",
        examples=["quality>=4"],
    ),
]
Conditions = Annotated[list[Condition], _limited(maxItems=MAX_CONDITIONS)]
BatchOrNone = Annotated[str, _limited(maxLength=MAX_VALUE_LENGTH, examples=["spring"])]
ExportFormats = Annotated[list[ExportFormat], _limited(minItems=1, uniqueItems=True)]
