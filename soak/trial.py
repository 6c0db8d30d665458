"""A trial: new conversations, a training file of its own, runs with faults, and judgement."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.source.limits import Limits
from domain.versions.requests import AddRequest
from operations.add import add
from soak.chance import Chance
from soak.evidence import look
from soak.judge import Claim, is_final
from soak.library import new_conversation, register
from soak.postgres_proxy import DatabaseAction, PostgresProxy
from soak.s3_faults import S3Action, S3Fault
from soak.s3_proxy import S3Proxy
from soak.script import Fault, Script
from soak.services import Services
from soak.stage import Stage
from soak.tally import Finding, Tally, tally_of
from soak.worker import End, Job, RequestOutcome

MAX_RERUNS = 3
DatabaseFault = Fault[DatabaseAction]


@dataclass(frozen=True)
class Front:
    """Services behind proxies, and the proxies' scripts."""

    services: Services
    scripts: tuple[Script[S3Action], Script[DatabaseAction]]

    @property
    def struck(self) -> int:
        return sum(script.struck for script in self.scripts)


class Trial:
    def __init__(self, stage: Stage, kind: str, number: int) -> None:
        self.stage = stage
        self.label = f"{kind} #{number} of seed {stage.seed}"
        self.chance = Chance(f"{stage.seed} {kind} {number}")
        self.name = f"{kind} {stage.seed} {number}"
        self.sources: dict[UUID, bytes] = {}
        self.claims: list[Claim] = []
        self.findings: list[Finding] = []
        self.struck = 0

    def conversations(self, count: int, *, padding_bytes: int = 0) -> list[UUID]:
        """Store new enriched conversations, as an application does; return their ids."""
        sources = [new_conversation(self.chance, padding_bytes=padding_bytes) for _ in range(count)]
        register(self.stage.engine, self.stage.sources, sources)
        self.sources.update(sources)
        return [conversation_id for conversation_id, _ in sources]

    def claim(self, ids: Sequence[UUID], *, new: bool = False) -> Claim:
        request = AddRequest(
            training_file=self.name,
            conversation_ids=tuple(map(str, ids)),
            new=new,
            requested_by="soak",
            request_id=str(self.chance.uuid()),
        )
        self.claims.append(Claim(request))
        return self.claims[-1]

    def base(self, count: int = 1, *, padding_bytes: int = 0) -> None:
        """Make the training file, without any fault."""
        self.make(self.claim(self.conversations(count, padding_bytes=padding_bytes), new=True))

    def make(self, claim: Claim) -> None:
        """Make the request's version in this thread, without any fault."""
        stage = self.stage
        version = add(
            stage.engine, stage.sources, stage.files, claim.request, limits=Limits(), threads=1
        )
        claim.outcomes.append(RequestOutcome(End.MADE, number=version.number))

    def base_or_create(self) -> Claim:
        """Claim new conversations, for an add or for the file's creation."""
        new = self.chance.random() < 0.3  # noqa: PLR2004 - three in ten create
        if not new:
            self.base(self.chance.randint(1, 3))
        return self.claim(self.conversations(self.chance.randint(1, 3)), new=new)

    @contextmanager
    def behind(
        self, store: Sequence[S3Fault] = (), database: Sequence[DatabaseFault] = ()
    ) -> Iterator[Front]:
        """Run proxies with these faults for the block."""
        services, thread = self.stage.services, self.stage.proxies
        scripts = Script(store), Script(database)
        with (
            thread.running(S3Proxy(services.s3, scripts[0])) as s3_port,
            thread.running(PostgresProxy(services.database, scripts[1])) as database_port,
        ):
            front = Front(services.through(database_port=database_port, s3_port=s3_port), scripts)
            yield front
        self.struck += front.struck

    def run(
        self,
        claim: Claim,
        front: Front | None = None,
        *,
        kill_after_seconds: float | None = None,
        **adjustments: Any,
    ) -> RequestOutcome:
        """Run the request in a process of its own, which the front's faults may kill."""
        services = front.services if front else self.stage.services
        worker = self.stage.crew.start(Job(claim.request, services, **adjustments))
        for script in front.scripts if front else ():
            script.kill_victim = worker.kill
        worker.go()
        outcome = worker.outcome(kill_after_seconds=kill_after_seconds)
        claim.outcomes.append(outcome)
        return outcome

    def run_together(
        self,
        claims: Sequence[Claim],
        front: Front | None = None,
        *,
        kill_after_seconds: Sequence[float | None] = (),
    ) -> None:
        """Run requests concurrently; a claim that is listed twice runs twice."""
        services = front.services if front else self.stage.services
        jobs = [Job(claim.request, services) for claim in claims]
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
        """Judge the final state and tally the trial."""
        self._judge(settled=True)
        seen = look(self.stage.engine, self.name)
        return tally_of(
            self.findings,
            label=self.label,
            struck=self.struck,
            made=len(seen.versions) if seen else 0,
            blocked=sum(claim.last.end == End.BLOCKED for claim in self.claims),
        )

    def _judge(self, *, settled: bool) -> None:
        findings = self.stage.judge.findings(self.name, self.claims, self.sources, settled=settled)
        self.findings += [finding for finding in findings if finding not in self.findings]
