"""A trial: new conversations, a training file of its own, runs with faults, and judgement."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.versions.requests import (
    AddRequest,
    RebuildRequest,
    RemoveRequest,
    RollbackRequest,
    VersionRequest,
)
from soak.chance import Chance
from soak.claim import Claim
from soak.crew import WriterProcess
from soak.evidence import FileSeen, look
from soak.judge import is_final
from soak.leftovers import about_leftovers
from soak.library import new_conversation, new_revision, object_key, register
from soak.postgres_proxy import DatabaseAction, PostgresProxy
from soak.revision import Revision
from soak.s3_faults import S3Action, S3Fault
from soak.s3_proxy import S3Proxy
from soak.script import Fault, Script
from soak.services import Services
from soak.stage import Stage
from soak.tally import Finding, Flaw, Tally, tally_of
from soak.upkeep import OwnObjects
from soak.worker import End, Job, RequestOutcome, outcome_of

MAX_RERUNS = 3
ID_REUSED = ("request-id-reused",)
DatabaseFault = Fault[DatabaseAction]


@dataclass(frozen=True)
class Front:
    """Services behind proxies, and the proxies' scripts."""

    services: Services
    scripts: tuple[Script[S3Action], Script[DatabaseAction]]
    errors: list[Exception] = field(default_factory=list)
    """Of what was done meanwhile: the trial is not what it should be."""

    @property
    def struck(self) -> int:
        return sum(script.struck for script in self.scripts)

    def meanwhile(self, operation: Callable[[], object]) -> None:
        """Say what is done by somebody else while a message waits."""

        def guarded() -> None:
            try:
                operation()
            except Exception as error:  # noqa: BLE001 - raised again when the block ends
                self.errors.append(error)

        for script in self.scripts:
            script.meanwhile = guarded


class Trial:
    def __init__(self, stage: Stage, kind: str, number: int) -> None:
        self.stage = stage
        self.label = f"{kind} #{number} of seed {stage.seed}"
        self.chance = Chance(f"{stage.seed} {kind} {number}")
        self.name = f"{kind} {stage.seed} {number}"
        self.sources: dict[UUID, list[Revision]] = {}
        self.claims: list[Claim] = []
        self.findings: list[Finding] = []
        self.struck = 0
        self.expects_newest = False
        """Whether the current version must hold the newest state of every source."""
        self.known_damaged: set[int] = set()
        """Versions whose objects a trial took away, and `verify` says so."""

    def conversations(self, count: int, *, padding_bytes: int = 0) -> list[UUID]:
        """Store new enriched conversations, as an application does; return their ids."""
        sources = [new_conversation(self.chance, padding_bytes=padding_bytes) for _ in range(count)]
        register(self.stage.engine, self.stage.sources, sources)
        self.sources.update({source.conversation_id: [source] for source in sources})
        return [source.conversation_id for source in sources]

    def claim(self, ids: Sequence[UUID], *, new: bool = False) -> Claim:
        """Claim an add of these conversations, or the file's creation with them."""
        request = AddRequest(
            training_file=self.name,
            conversation_ids=tuple(map(str, ids)),
            new=new,
            requested_by="soak",
            request_id=str(self.chance.uuid()),
        )
        self.claims.append(Claim(request))
        return self.claims[-1]

    def claim_rebuild(self, *, whole: bool = False) -> Claim:
        request = RebuildRequest(
            training_file=self.name,
            whole=whole,
            requested_by="soak",
            request_id=str(self.chance.uuid()),
        )
        self.claims.append(Claim(request))
        return self.claims[-1]

    def claim_removal(self, ids: Sequence[UUID]) -> Claim:
        request = RemoveRequest(
            training_file=self.name,
            conversation_ids=tuple(map(str, ids)),
            comment="soak",
            requested_by="soak",
            request_id=str(self.chance.uuid()),
        )
        self.claims.append(Claim(request))
        return self.claims[-1]

    def claim_rollback(self, to: int) -> Claim:
        request = RollbackRequest(
            training_file=self.name,
            to=str(to),
            requested_by="soak",
            request_id=str(self.chance.uuid()),
        )
        self.claims.append(Claim(request))
        return self.claims[-1]

    def replace_source(self, conversation_id: UUID) -> Revision:
        """Overwrite the conversation's source file in its place, as an application may."""
        revision = new_revision(self.chance, conversation_id)
        # Known before it is there: a request that reads it at once is judged by it.
        self.sources[conversation_id].append(revision)
        self.stage.sources.put(
            object_key(conversation_id), revision.data, content_type="application/json"
        )
        return revision

    def base(self, count: int = 1, *, padding_bytes: int = 0) -> None:
        """Make the training file, without any fault."""
        self.make(self.claim(self.conversations(count, padding_bytes=padding_bytes), new=True))

    def make(self, claim: Claim) -> None:
        """Carry out the request in this thread, without any fault."""
        claim.is_struck = False
        claim.outcomes.append(outcome_of(Job(claim.request, self.stage.services)))

    def base_or_create(self) -> Claim:
        """Claim new conversations, for an add or for the file's creation."""
        new = self.chance.random() < 0.3  # noqa: PLR2004 - three in ten create
        if not new:
            self.base(self.chance.randint(1, 3))
        return self.claim(self.conversations(self.chance.randint(1, 3)), new=new)

    @contextmanager
    def behind(
        self,
        store: Sequence[S3Fault] = (),
        database: Sequence[DatabaseFault] = (),
        *,
        services: Services | None = None,
    ) -> Iterator[Front]:
        """Run proxies with these faults for the block."""
        services, thread = services or self.stage.services, self.stage.proxies
        scripts = Script(store), Script(database)
        with (
            thread.running(S3Proxy(services.s3, scripts[0])) as s3_port,
            thread.running(PostgresProxy(services.database, scripts[1])) as database_port,
        ):
            front = Front(services.through(database_port=database_port, s3_port=s3_port), scripts)
            yield front
        self.struck += front.struck
        for error in front.errors:
            raise error

    def run(
        self,
        claim: Claim,
        front: Front | None = None,
        *,
        kill_after_seconds: float | None = None,
        **adjustments: Any,
    ) -> RequestOutcome:
        """Run the request in a process of its own, which the front's faults may kill."""
        worker = self.start(claim, front, **adjustments)
        worker.go()
        outcome = worker.outcome(kill_after_seconds=kill_after_seconds)
        claim.outcomes.append(outcome)
        return outcome

    def start(self, claim: Claim, front: Front | None = None, **adjustments: Any) -> WriterProcess:
        """Start a worker that waits for `go`, and that faults of the front may kill."""
        given = front.services if front else self.stage.services
        job = Job(claim.request, **{"services": given, **adjustments})
        worker = self.stage.crew.start(job)
        for script in front.scripts if front else ():
            script.kill_victim = worker.kill
        return worker

    def run_together(
        self,
        claims: Sequence[Claim],
        front: Front | None = None,
        *,
        kill_after_seconds: Sequence[float | None] = (),
        **adjustments: Any,
    ) -> None:
        """Run requests concurrently; a claim that is listed twice runs twice."""
        services = front.services if front else self.stage.services
        jobs = [Job(claim.request, services, **adjustments) for claim in claims]
        workers = [self.stage.crew.start(job) for job in jobs]
        for worker in workers:
            worker.go()
        delays = kill_after_seconds or [None] * len(claims)
        # The earliest kill first; else waiting for one worker would delay the kill of another.
        order = sorted(range(len(claims)), key=lambda at: delays[at] or float("inf"))
        for at in order:
            claims[at].outcomes.append(workers[at].outcome(kill_after_seconds=delays[at]))

    def inspect(self) -> None:
        """Judge the file while requests are still unfinished (invariant 11)."""
        self._judge(settled=False)

    def settle(self) -> None:
        """Retry unfinished requests, as their owners would: the same request with the same id."""
        unfinished = [claim for claim in self.claims if not is_final(claim.last)]
        if unfinished:
            self.inspect()
        for claim in unfinished:
            for _ in range(MAX_RERUNS):
                if not is_final(claim.last):
                    self.run(claim)

    def tally(self) -> Tally:
        """Judge the final state, before and after maintenance, and tally the trial."""
        self._judge(settled=True)
        stage = self.stage
        if self.expects_newest:
            self._report(stage.judge.about_newest(self.name, self.sources))
        self._report(self._about_reused_ids())
        self._report(about_leftovers(stage.engine, stage.files, self.name, self.claims))
        seen = look(stage.engine, self.name)
        return tally_of(
            self.findings,
            label=self.label,
            struck=self.struck,
            made=len(seen.versions) if seen else 0,
            blocked=sum(claim.last.end == End.BLOCKED for claim in self.claims),
        )

    def _judge(self, *, settled: bool) -> None:
        findings = self.stage.judge.findings(
            self.name,
            self.claims,
            self.sources,
            settled=settled,
            known_damaged=self.known_damaged,
        )
        self._report(findings)

    def own_objects(self, seen: FileSeen) -> OwnObjects:
        """Return the store as far as this trial's objects go."""
        request_ids = {claim.request.request_id for claim in self.claims}
        return OwnObjects(self.stage.files, request_ids, prefix=f"{seen.id}/")

    def _report(self, findings: Iterable[Finding]) -> None:
        self.findings += [finding for finding in findings if finding not in self.findings]

    def _about_reused_ids(self) -> Iterator[Finding]:
        """Use a request's id again: for itself, which changes nothing, and for another request."""
        made = [claim for claim in self.claims if claim.last.end == End.MADE]
        if not made:
            return
        claim = self.chance.choice(made)
        told = {outcome.number for outcome in claim.outcomes}
        again = self._repeat(claim.request)
        if again.end != End.MADE or again.number not in told:
            text = f"{claim.label} made version {claim.last.number} and, run again, "
            yield Finding(Flaw.DOUBLED, f"{text}{again.end} {again.number} {again.text}")
        for other in self._other_requests(claim.request):
            outcome = self._repeat(other)
            if (outcome.end, outcome.codes) != (End.BLOCKED, ID_REUSED):
                text = f"{claim.label} was taken for another request ({type(other).__name__})"
                yield Finding(Flaw.DOUBLED, f"{text}: {outcome.end} {outcome.text}")

    def _repeat(self, request: VersionRequest) -> RequestOutcome:
        """Run the request in this thread; retry it if a busy machine makes a service time out."""
        for _ in range(MAX_RERUNS):
            outcome = outcome_of(Job(request, self.stage.services))
            if outcome.end != End.FAILED:
                break
        return outcome

    def _other_requests(self, request: VersionRequest) -> Iterator[VersionRequest]:
        same_id = {"requested_by": "soak", "request_id": request.request_id}
        fresh = tuple(map(str, self.conversations(1)))
        yield AddRequest(training_file=self.name, conversation_ids=fresh, **same_id)
        other = f"{self.name} other"
        yield AddRequest(training_file=other, conversation_ids=fresh, new=True, **same_id)
        if isinstance(request, AddRequest):
            yield RebuildRequest(training_file=self.name, **same_id)
