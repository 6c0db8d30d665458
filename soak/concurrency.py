"""What may run at the same time as something else on one training file."""

import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from domain.source.limits import Limits
from domain.versions.garbage import MIN_SAFE_AGE
from domain.versions.naming import name_key
from operations.importing import Importer
from soak.claim import Claim
from soak.evidence import look
from soak.library import new_revision, row_persona
from soak.tally import Finding, Flaw
from soak.trial import Trial
from soak.upkeep import OwnObjects, maintain

SET_STATUS = text("UPDATE trainfold.training_files SET status = :status WHERE name_key = :key")
MAX_ARCHIVED_SECONDS = 0.5


class Operation(ABC):
    """Prepared, then started and awaited together with others."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    @abstractmethod
    def go(self) -> None: ...

    @abstractmethod
    def end(self) -> None:
        """Wait for its end."""


class RequestOperation(Operation):
    """A request in a process of its own."""

    def __init__(self, trial: Trial, claim: Claim, *, as_flow: bool = False) -> None:
        super().__init__(trial)
        claim.is_struck = False
        self._claim = claim
        self._worker = trial.start(claim, as_flow=as_flow)

    def go(self) -> None:
        self._worker.go()

    def end(self) -> None:
        self._claim.outcomes.append(self._worker.outcome())


class ThreadOperation(Operation):
    """Something that a thread of the soak does, a little later than the others start."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        self._delay = trial.chance.uniform(0, 0.4)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=type(self).__name__)

    @abstractmethod
    def do(self) -> None: ...

    def go(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._thread.join()
        if self._error is not None:
            text = f"{type(self).__name__}: {type(self._error).__name__}: {self._error}"
            self.trial.findings.append(Finding(Flaw.BROKEN, text))

    def _run(self) -> None:
        time.sleep(self._delay)
        try:
            self.do()
        except Exception as error:  # noqa: BLE001 - whatever ends it is evidence
            self._error = error


class Maintenance(ThreadOperation):
    """Sweep: what a writer left a day ago goes, what is being written stays."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        seen = look(trial.stage.engine, trial.name)
        dead = trial.claims[0].request.request_id
        attempt = f"{trial.chance.getrandbits(32):08x}"
        self._old = f"{seen.id if seen else ''}/v000002-{dead}.{attempt}/training.json"
        trial.stage.files.put(self._old, b"{}", content_type="application/json")

    def do(self) -> None:
        stage, trial = self.trial.stage, self.trial
        request_ids = {claim.request.request_id for claim in trial.claims}
        prefix = f"{self._old.partition('/')[0]}/"
        own = OwnObjects(stage.files, request_ids, prefix=prefix, aged={self._old})
        maintain(stage.engine, own, safe_age=MIN_SAFE_AGE)
        if self._old in own.object_keys():
            text = f"maintenance left {self._old}, which was a day old"
            trial.findings.append(Finding(Flaw.STALE, text))


class ImportUpdate(ThreadOperation):
    """`trainfold import --update` with new files of the conversations."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        ids = [
            conversation_id
            for claim in trial.claims
            for conversation_id in claim.ids
            # Import writes the persona of the row, and with it what there is to warn of.
            if row_persona(conversation_id) is None
        ]
        self._revisions = [new_revision(trial.chance, id) for id in dict.fromkeys(ids)]

    def do(self) -> None:
        stage = self.trial.stage
        with tempfile.TemporaryDirectory(prefix="trainfold-import-") as folder:
            for revision in self._revisions:
                self.trial.sources[revision.conversation_id].append(revision)
                (Path(folder) / f"{revision.conversation_id}.json").write_bytes(revision.data)
            importer = Importer(stage.engine, stage.sources, Limits(), "soak", update=True)
            outcome = importer.run([Path(folder)], batch_name=None, progress=_unheard)
        if outcome.refused or len(outcome.updated) != len(self._revisions):
            raise AssertionError(f"import: {len(outcome.updated)} updated, {outcome.refused}")


class Archive(ThreadOperation):
    """Archive the training file and, a moment later, make it active again."""

    def do(self) -> None:
        trial = self.trial
        self._set_status("archived")
        before = look(trial.stage.engine, trial.name)
        time.sleep(trial.chance.uniform(0.1, MAX_ARCHIVED_SECONDS))
        after = look(trial.stage.engine, trial.name)
        if before and after and before.current_version != after.current_version:
            text = f"version {after.current_version} was made while the training file was archived"
            trial.findings.append(Finding(Flaw.WRONG, text))
        self._set_status("active")

    def _set_status(self, status: str) -> None:
        with self.trial.stage.engine.begin() as connection:
            key = name_key(self.trial.name)
            connection.execute(SET_STATUS, {"status": status, "key": key})


def prepare_add(trial: Trial, *, as_flow: bool = False) -> Operation:
    claim = trial.claim(trial.conversations(trial.chance.randint(1, 3)))
    return RequestOperation(trial, claim, as_flow=as_flow)


def prepare_rebuild(trial: Trial, *, whole: bool = False, as_flow: bool = False) -> Operation:
    """Rebuild, with something to do: one source or more have changed."""
    members = trial.claims[0].ids
    for conversation_id in trial.chance.sample(members, trial.chance.randint(1, len(members))):
        trial.replace_source(conversation_id)
    return RequestOperation(trial, trial.claim_rebuild(whole=whole), as_flow=as_flow)


def prepare_removal(trial: Trial) -> Operation:
    """Remove some of the conversations that the training file was created with, never all."""
    members = trial.claims[0].ids
    removed = trial.chance.sample(members, trial.chance.randint(1, len(members) - 1))
    return RequestOperation(trial, trial.claim_removal(removed))


def prepare_rollback(trial: Trial) -> Operation:
    """Roll back to the version that the file was created with, from one that has more."""
    if not any(claim.last.number for claim in trial.claims[1:] if claim.outcomes):
        trial.make(trial.claim(trial.conversations(1)))
    return RequestOperation(trial, trial.claim_rollback(1))


def run_concurrently(operations: list[Operation]) -> None:
    """Start them all, then wait for them all."""
    for operation in operations:
        operation.go()
    for operation in operations:
        operation.end()


Preparation = Callable[[Trial], Operation]


def _unheard(_done: int, _total: int) -> None:
    """Hear nothing of the progress."""
