"""Judge what was lost, doubled or torn, from rows, stored bytes and sources.

Of the writers only their answers are used. The file must look as if the requests that made versions
had run one after another, each completely, and all others had not run at all.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine

from domain.errors import Damaged
from domain.versions.requests import AddRequest, RemoveRequest, RollbackRequest
from operations.verify import verify_version
from soak.claim import Claim
from soak.evidence import Contents, FileSeen, Unreadable, look, read
from soak.history import History, Sources
from soak.tally import Finding, Flaw
from soak.tokens import JsonObject, Number
from soak.worker import End, RequestOutcome
from storage.store import ObjectStore

T = TypeVar("T")

NAME_TAKEN, ALREADY_MEMBER = ("name-taken",), ("already-member",)
NOT_A_MEMBER, NOTHING_TO_DO = ("not-a-member",), ("nothing-to-roll-back",)
FINAL = (NAME_TAKEN, ALREADY_MEMBER, NOT_A_MEMBER, NOTHING_TO_DO)


@dataclass(frozen=True)
class Judge:
    engine: Engine
    store: ObjectStore

    def findings(
        self,
        name: str,
        claims: Sequence[Claim],
        sources: Sources,
        *,
        settled: bool,
        known_damaged: Collection[int] = (),
    ) -> list[Finding]:
        """List the defects of a training file; `settled` means that no claim will be retried."""
        seen = look(self.engine, name)
        findings = [*about_claims(seen, claims, settled=settled)]
        if seen is not None:
            findings += about_rows(seen)
            # Before the end only the current version is read, to save time.
            first = 1 if settled else seen.current_version
            numbers = {*range(first, seen.current_version + 1)} - {*known_damaged}
            findings += self._about_versions(name, seen, claims, sources, numbers=numbers)
        return findings

    def _about_versions(
        self,
        name: str,
        seen: FileSeen,
        claims: Sequence[Claim],
        sources: Sources,
        *,
        numbers: Collection[int],
    ) -> Iterator[Finding]:
        expected: list[list[UUID]] = []
        history = History(sources)
        for version in seen.versions:
            number = version["number"]
            claim = _claim_of(version["request_id"], claims)
            if claim is None:
                yield Finding(Flaw.DOUBLED, f"version {number} belongs to no request")
                return
            expected.append(claim.applied(expected))
            if number not in numbers:
                continue
            yield from about_order(
                f"the rows of version {number}", seen.conversations_of(number), expected[-1]
            )
            try:
                contents = read(self.store, version)
            except Unreadable as error:
                yield Finding(Flaw.TORN, f"version {number}: {error}")
                continue
            yield from about_order(f"the JSON of version {number}", contents.ids, expected[-1])
            yield from about_contents(number, contents)
            yield from history.about(version, seen.members_of(number), contents, claim)
            yield from self.verification(name, number)

    def about_newest(self, name: str, sources: Sources) -> Iterator[Finding]:
        """Compare the current version with the newest state of every source."""
        seen = look(self.engine, name)
        if seen is None:
            return
        try:
            contents = read(self.store, seen.versions[-1])
        except Unreadable as error:
            yield Finding(Flaw.TORN, f"version {seen.current_version}: {error}")
            return
        for conversation_id, fragment in contents.conversations:
            if fragment != sources[conversation_id][-1].fragment:
                text = f"after a rebuild, version {seen.current_version} holds an old state of"
                yield Finding(Flaw.STALE, f"{text} conversation {conversation_id}")

    def verification(self, name: str, number: int | None) -> Iterator[Finding]:
        """Yield the findings of the product's own `verify`; None is the current version."""
        try:
            verify_version(self.engine, self.store, name, number)
        except Damaged as damaged:
            yield Finding(Flaw.TORN, str(damaged))


def is_final(outcome: RequestOutcome) -> bool:
    """Tell whether the request's owner has no reason to retry."""
    if outcome.end == End.BLOCKED:
        return outcome.codes in FINAL
    return outcome.end in (End.MADE, End.UNCHANGED)


def about_claims(
    seen: FileSeen | None, claims: Sequence[Claim], *, settled: bool
) -> Iterator[Finding]:
    for claim in claims:
        made = seen.made_by(claim.request.request_id) if seen else []
        told = {outcome.number for outcome in claim.outcomes if outcome.end == End.MADE}
        if len(made) > 1 or len(told) > 1:
            text = f"{claim.label} made versions {made} and was told {sorted(map(str, told))}"
            yield Finding(Flaw.DOUBLED, text)
        for number in told - set(made):
            yield Finding(
                Flaw.LOST, f"{claim.label} was told version {number}, which is not its own"
            )
        for outcome in claim.outcomes if settled else ():
            if outcome.end in (End.HUNG, End.BROKEN):
                yield Finding(Flaw(outcome.end.value), f"{claim.label}: {outcome.text}")
            if outcome.end == End.FAILED and not claim.is_struck:
                text = f"{claim.label} failed, and nothing was done to it: {outcome.text}"
                yield Finding(Flaw.BROKEN, text)
        if (
            settled
            and claim.last.end not in (End.MADE, End.UNCHANGED)
            and not _is_just(claim, seen, made, claims)
        ):
            yield Finding(
                Flaw.LOST, f"{claim.label} never succeeded: {claim.last.end} {claim.last.text}"
            )


def _is_just(
    claim: Claim, seen: FileSeen | None, made: Sequence[int], claims: Sequence[Claim]
) -> bool:
    """Tell whether a request was rightly blocked: others did what it asks for, or took its name."""
    if claim.last.end != End.BLOCKED or made or seen is None:
        return False
    if claim.last.codes == NAME_TAKEN:
        return isinstance(claim.request, AddRequest) and claim.request.new
    if claim.last.codes in (NOT_A_MEMBER, NOTHING_TO_DO):
        return any(
            isinstance(other.request, RollbackRequest) and other.last.end == End.MADE
            for other in claims
        ) or _is_removed(claim, claims)
    taken = set(seen.conversations_of(seen.current_version)) & set(claim.ids)
    return claim.last.codes == ALREADY_MEMBER and bool(taken)


def _is_removed(claim: Claim, claims: Sequence[Claim]) -> bool:
    """Tell whether another request removed what this one was to remove."""
    wanted = getattr(claim.request, "ids", ())
    return any(
        isinstance(other.request, RemoveRequest)
        and other.last.end == End.MADE
        and set(other.request.ids) & set(wanted)
        for other in claims
    )


def about_rows(seen: FileSeen) -> Iterator[Finding]:
    numbers = [version["number"] for version in seen.versions]
    if numbers != list(range(1, seen.current_version + 1)):
        text = f"version {seen.current_version} is current, but the versions are {numbers}"
        yield Finding(Flaw.TORN, text)
    keys = [version[f"{format}_key"] for version in seen.versions for format in ("json", "jsonl")]
    for key in _repeated(keys):
        yield Finding(Flaw.DOUBLED, f"two versions share the object {key}")


def about_order(what: str, ids: Sequence[UUID], expected: Sequence[UUID]) -> Iterator[Finding]:
    """Compare the conversations of one version with those that its requests named."""
    for conversation_id in _repeated(ids):
        yield Finding(Flaw.DOUBLED, f"conversation {conversation_id} is twice in {what}")
    for conversation_id in sorted(set(expected) - set(ids)):
        yield Finding(Flaw.LOST, f"conversation {conversation_id} is not in {what}")
    for conversation_id in sorted(set(ids) - set(expected)):
        yield Finding(
            Flaw.TORN, f"conversation {conversation_id} is in {what}, but no request named it"
        )
    if Counter(ids) == Counter(expected) and list(ids) != list(expected):
        yield Finding(Flaw.TORN, f"the conversations of {what} are in another order")


def about_contents(number: int, contents: Contents) -> Iterator[Finding]:
    """Compare the JSONL with the JSON, whatever the sources are."""
    for line in _repeated([str(example["id"]) for example in contents.examples]):
        yield Finding(Flaw.DOUBLED, f"line {line} is twice in the JSONL of version {number}")
    wanted = [
        (str(conversation_id), _without_ids(pair))
        for conversation_id, conversation in contents.conversations
        for pair in conversation["training_pairs"]
        if pair["target_response"]
    ]
    lines = [(line["conversation_id"], _without_ids(line)) for line in contents.examples]
    if lines != wanted:
        yield Finding(Flaw.TORN, f"JSON and JSONL of version {number} disagree")
    announced = contents.announced["total_pairs"]
    if announced != Number(str(len(contents.examples))):
        text = f"the JSONL of version {number} announces {announced} examples and has"
        yield Finding(Flaw.TORN, f"{text} {len(contents.examples)}")


def _without_ids(pair: JsonObject) -> dict[str, Any]:
    return {key: value for key, value in pair.members if key not in ("id", "conversation_id")}


def _claim_of(request_id: str, claims: Sequence[Claim]) -> Claim | None:
    return next((claim for claim in claims if claim.request.request_id == request_id), None)


def _repeated(values: Sequence[T]) -> list[T]:
    return [value for value, times in Counter(values).items() if times > 1]
