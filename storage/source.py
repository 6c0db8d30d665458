"""One conversation's file, or the reason why there is none to be had."""

from domain.eligibility import EligibleConversation
from domain.errors import AccessRefused, Blocked, ObjectMissing, ObjectTooLarge
from domain.findings import Reason
from storage.store import ObjectStore

CODES: dict[type[Exception], str] = {
    ObjectMissing: "object-missing",
    ObjectTooLarge: "file-too-large",
    AccessRefused: "object-refused",
}


def read_source(store: ObjectStore, eligible: EligibleConversation, *, most_bytes: int) -> bytes:
    """The file's bytes; raises Blocked when there is none to be had, Unreachable otherwise."""
    try:
        return store.get(eligible.object_key, most_bytes=most_bytes)
    except tuple(CODES) as error:
        reason = Reason(
            conversation_id=str(eligible.conversation_id),
            code=CODES[type(error)],
            reason=str(error),
        )
        raise Blocked([reason]) from error
