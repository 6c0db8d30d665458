"""Judge what was lost, doubled or torn, from rows, stored bytes and sources.

Of the writers only their answers are used. The file must look as if the requests that made versions
had run one after another, each completely, and all others had not run at all.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine

from domain.errors import Damaged
from domain.versions.requests import AddRequest
from operations.verify import verify_version
from soak.evidence import Contents, FileSeen, Unreadable, look, read
from soak.tally import Finding, Flaw
from soak.worker import End, RequestOutcome
from storage.store import ObjectStore

T = TypeVar("T")


NAME_TAKEN, ALREADY_MEMBER = ("name-taken",), ("already-member",)


@dataclass
class Claim:
    """A request and the outcomes of its runs."""

    request: AddRequest
    outcomes: list[RequestOutcome] = field(default_factory=list)

    @property
    def last(self) -> RequestOutcome:
        return self.outcomes[-1]

    @property
    def ids(self) -> list[UUID]:
        return list(self.request.ids)


@dataclass(frozen=True)
class Judge:
    engine: Engine
    store: ObjectStore

    def findings(
        self, name: str, claims: Sequence[Claim], sources: Mapping[UUID, bytes], *, settled: bool
    ) -> list[Finding]:
        """List the defects of a training file; `settled` means that no claim will be retried."""
        seen = look(self.engine, name)
        findings = [*about_claims(seen, claims, settled=settled)]
        if seen is not None:
            findings += about_rows(seen)
            # Before the end only the current version is read, to save time.
            first = 1 if settled else seen.current_version
            findings += self._about_versions(name, seen, claims, sources, first=first)
        return findings

    def _about_versions(
        self,
        name: str,
        seen: FileSeen,
        claims: Sequence[Claim],
        sources: Mapping[UUID, bytes],
        *,
        first: int,
    ) -> Iterator[Finding]:
        expected: list[UUID] = []
        for version in seen.versions:
            number = version["number"]
            claim = _claim_of(version["request_id"], claims)
            if claim is None:
                yield Finding(Flaw.DOUBLED, f"version {number} belongs to no request")
                return
            expected += claim.ids
            if number < first:
                continue
            yield from about_order(
                f"the rows of version {number}", seen.conversations_of(number), expected
            )
            try:
                contents = read(self.store, version)
            except Unreadable as error:
                yield Finding(Flaw.TORN, f"version {number}: {error}")
                continue
            yield from about_order(f"the JSON of version {number}", contents.ids, expected)
            yield from about_contents(number, contents, sources)
            yield from self.verification(name, number)

    def verification(self, name: str, number: int | None) -> Iterator[Finding]:
        """Yield the findings of the product's own `verify`; None is the current version."""
        try:
            verify_version(self.engine, self.store, name, number)
        except Damaged as damaged:
            yield Finding(Flaw.TORN, str(damaged))


def is_final(outcome: RequestOutcome) -> bool:
    """Tell whether the request's owner has no reason to retry."""
    if outcome.end == End.BLOCKED:
        return outcome.codes in (NAME_TAKEN, ALREADY_MEMBER)
    return outcome.end == End.MADE


def about_claims(
    seen: FileSeen | None, claims: Sequence[Claim], *, settled: bool
) -> Iterator[Finding]:
    for claim in claims:
        made = seen.made_by(claim.request.request_id) if seen else []
        told = {outcome.number for outcome in claim.outcomes if outcome.end == End.MADE}
        if len(made) > 1 or len(told) > 1:
            text = f"{_label(claim)} made versions {made} and was told {sorted(map(str, told))}"
            yield Finding(Flaw.DOUBLED, text)
        for number in told - set(made):
            yield Finding(
                Flaw.LOST, f"{_label(claim)} was told version {number}, which is not its own"
            )
        for outcome in claim.outcomes if settled else ():
            if outcome.end in (End.HUNG, End.BROKEN):
                yield Finding(Flaw(outcome.end.value), f"{_label(claim)}: {outcome.text}")
        if settled and claim.last.end != End.MADE and not _is_just(claim, seen, made):
            yield Finding(
                Flaw.LOST, f"{_label(claim)} never succeeded: {claim.last.end} {claim.last.text}"
            )


def _is_just(claim: Claim, seen: FileSeen | None, made: Sequence[int]) -> bool:
    """Tell whether a request was rightly blocked: others took its name or a conversation."""
    if claim.last.end != End.BLOCKED or made or seen is None:
        return False
    if claim.last.codes == NAME_TAKEN:
        return claim.request.new
    taken = set(seen.conversations_of(seen.current_version)) & set(claim.ids)
    return claim.last.codes == ALREADY_MEMBER and bool(taken)


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


def about_contents(
    number: int, contents: Contents, sources: Mapping[UUID, bytes]
) -> Iterator[Finding]:
    """Compare the JSON with the sources, and the JSONL with the JSON."""
    for conversation_id, pairs in contents.conversations:
        source = sources.get(conversation_id)
        if source is not None and json.loads(source)["training_pairs"] != pairs:
            text = f"conversation {conversation_id} in version {number} differs from its source"
            yield Finding(Flaw.TORN, text)
    for line in _repeated([str(example["id"]) for example in contents.examples]):
        yield Finding(Flaw.DOUBLED, f"line {line} is twice in the JSONL of version {number}")
    expected = [
        {**pair, "id": None, "conversation_id": str(conversation_id)}
        for conversation_id, pairs in contents.conversations
        for pair in pairs
        if pair["target_response"]
    ]
    if [{**example, "id": None} for example in contents.examples] != expected:
        yield Finding(Flaw.TORN, f"JSON and JSONL of version {number} disagree")
    if contents.announced != len(contents.examples):
        text = f"the JSONL of version {number} announces {contents.announced} examples and has"
        yield Finding(Flaw.TORN, f"{text} {len(contents.examples)}")


def _claim_of(request_id: str, claims: Sequence[Claim]) -> Claim | None:
    return next((claim for claim in claims if claim.request.request_id == request_id), None)


def _label(claim: Claim) -> str:
    return f"request {claim.request.request_id}"


def _repeated(values: Sequence[T]) -> list[T]:
    return [value for value, times in Counter(values).items() if times > 1]
