"""Compare consultants: a training file has one, whose profile may be worded differently."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.findings import Reason, VersionWarning
from domain.format.fragment import Fragment

IDENTITY = ("name", "business")


def strangers(profile: Mapping[str, Any], fragments: Sequence[Fragment]) -> list[Reason]:
    """Give a reason for every conversation of another consultant than the training file's."""
    return [
        Reason(
            conversation_id=str(fragment.conversation_id),
            code="other-consultant",
            reason=f"It is by {_who(fragment.consultant_profile)}; "
            f"the training file is {_who(profile)}'s.",
            path="consultant_profile",
        )
        for fragment in fragments
        if any(fragment.consultant_profile[key] != profile[key] for key in IDENTITY)
    ]


def wording_differences(
    profile: Mapping[str, Any], fragments: Sequence[Fragment]
) -> Iterator[VersionWarning]:
    """Yield a warning for each place where a conversation words the profile differently."""
    for fragment in fragments:
        for path in _differences(profile, fragment.consultant_profile, "consultant_profile"):
            yield VersionWarning(
                conversation_id=str(fragment.conversation_id),
                code="profile-differs",
                message="the consultant profile is worded differently; the training file keeps "
                "the one it was created with",
                path=path,
            )


def _who(profile: Mapping[str, Any]) -> str:
    return f"{profile['name']} ({profile['business']})"


def _differences(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            yield from _differences(one.get(key), other.get(key), f"{path}.{key}")
    elif one != other:
        yield path
