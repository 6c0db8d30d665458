"""Say which installation the worker works on, for `trainfold doctor`."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from domain.errors import TrainfoldError
from operations import resources
from operations.identity import read_identity


@flow(name="identify", flow_run_name="What the worker reaches")
def identify() -> State[None]:
    """End in a state whose message is the identity, or what keeps this process from reading it."""
    try:
        identity = read_identity(
            resources.engine(), resources.conversations_store(), resources.training_files_store()
        )
    except TrainfoldError as error:
        return Failed(message=str(error))
    return Completed(message=identity.model_dump_json())
