"""The base class of trainfold's values."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """An immutable value, which can be compared, copied with changes and dumped to JSON."""

    model_config = ConfigDict(frozen=True)
