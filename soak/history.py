"""Compare versions with the revisions of their sources, one version after another."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from domain.versions.requests import RebuildRequest
from soak.claim import Claim
from soak.evidence import Contents
from soak.numbers import about_numbers, about_warnings
from soak.revision import Revision
from soak.tally import Finding, Flaw
from soak.tokens import JsonObject

Sources = Mapping[UUID, Sequence[Revision]]
"""The revisions of each conversation's source, oldest first."""


class History:
    """Tracks which revision of each source the versions hold."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._held: dict[UUID, int] = {}
        self._profile: JsonObject | None = None

    def about(
        self,
        version: Mapping[str, Any],
        members: Sequence[Mapping[str, Any]],
        contents: Contents,
        claim: Claim,
    ) -> Iterator[Finding]:
        """Compare a version's tokens, numbers and warnings with the sources.

        Versions are passed in their order.
        """
        number = version["number"]
        held: dict[UUID, Revision] = {}
        for conversation_id, fragment in contents.conversations:
            revisions = self._sources.get(conversation_id, ())
            at = _index_of(fragment, revisions)
            if at is None:
                if revisions:
                    text = (
                        f"version {number}: conversation {conversation_id} differs from its source"
                    )
                    yield Finding(Flaw.TORN, text)
                continue
            yield from self._about_age(number, conversation_id, at, claim)
            self._held[conversation_id] = at
            held[conversation_id] = revisions[at]
        if list(held) != [member["conversation_id"] for member in members]:
            # Already reported, as a wrong order or a wrong source.
            return
        yield from _about_lines(number, contents, list(held.values()))
        yield from about_numbers(version, members, contents, list(held.values()))
        if self._profile is None and number == 1:
            self._profile = next(iter(held.values())).profile
        if self._profile is not None:
            if contents.profile != self._profile:
                text = (
                    f"version {number} has another consultant profile than its first conversation"
                )
                yield Finding(Flaw.TORN, text)
            yield from self._about_warnings(version, self._profile, held, claim)

    def _about_age(
        self, number: int, conversation_id: UUID, at: int, claim: Claim
    ) -> Iterator[Finding]:
        before = self._held.get(conversation_id)
        if before is None or before == at:
            return
        if not claim.may_change:
            text = f"{claim.label} changed conversation {conversation_id} in version {number}"
            yield Finding(Flaw.TORN, text)
        elif at < before and isinstance(claim.request, RebuildRequest):
            text = f"version {number} has an older state of conversation {conversation_id}"
            yield Finding(Flaw.STALE, f"{text} than the version before it")

    def _about_warnings(
        self,
        version: Mapping[str, Any],
        profile: JsonObject,
        held: Mapping[UUID, Revision],
        claim: Claim,
    ) -> Iterator[Finding]:
        if not isinstance(claim.request, RebuildRequest):
            yield from about_warnings(version, profile, [[held[id]] for id in claim.ids])
            return
        # A rebuild records the warnings of what it read, which may have changed since.
        may_have_joined = list(held)[1:]
        revisions = [self._sources[id] for id in held]
        yield from about_warnings(version, profile, revisions, unread=may_have_joined)


def _index_of(fragment: JsonObject, revisions: Sequence[Revision]) -> int | None:
    """Find the newest revision that the fragment can come from."""
    at = range(len(revisions) - 1, -1, -1)
    return next((index for index in at if revisions[index].fragment == fragment), None)


def _about_lines(
    number: int, contents: Contents, revisions: Sequence[Revision]
) -> Iterator[Finding]:
    expected = [example for revision in revisions for example in revision.examples]
    if list(contents.examples) != expected:
        text = f"the lines of version {number} are not the pairs of its sources, token for token"
        yield Finding(Flaw.TORN, text)
