"""Settings from the environment, whose mistakes are told in words: the variable, its value, what
is allowed.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsError

from domain.errors import NotReady
from domain.findings import shortened

HUNDRED_YEARS = timedelta(days=36_500)
"""Longer times overflow when they are added to a date."""

_WEB_ADDRESS = re.compile(
    r"https?://(?:[^\s/@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?(?:/\S*)?"
)
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+(?:%\w+)?")


def _web_address(address: str) -> str:
    matched = _WEB_ADDRESS.fullmatch(address)
    if address and (matched is None or int(matched[1] or 1) not in range(1, 65_536)):
        raise ValueError
    return address


def _host(host: str) -> str:
    if not _HOST.fullmatch(host):
        raise ValueError
    return host


WebAddress = Annotated[
    str, AfterValidator(_web_address), Field(description="an address as in https://host:port/path")
]
Host = Annotated[
    str, AfterValidator(_host), Field(description="a host's name or IP address, without a port")
]
Flag = Annotated[bool, Field(description="true or false")]
Duration = Annotated[
    timedelta,
    Field(description="a time in seconds, or in ISO 8601 as in PT1H", le=HUNDRED_YEARS),
]


class EnvironmentSettings(BaseSettings):
    """Settings whose construction raises NotReady, naming every variable that cannot be used."""

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            problems = [_problem(type(self), each["loc"], each["input"]) for each in error.errors()]
        except SettingsError as error:
            problems = [_unreadable(type(self), error)]
        else:
            return
        # Outside of the handlers: the errors of pydantic hold values, which may be secret.
        raise NotReady(
            f"{' '.join(dict.fromkeys(problems))} Nothing was done. Correct the value or unset the "
            "variable; docs/configuration.md and docs/console.md list all of them."
        )


def masked(value: str) -> str:
    """Return a value as messages may show it: without credentials, short, printable."""
    _, at, rest = value.rpartition("@")
    return shortened(f"***@{rest}" if at else value)


def _problem(settings: type[BaseSettings], path: Sequence[str | int], value: object) -> str:
    names = [part for part in path if isinstance(part, str)]
    fields = list(_fields(settings, names))
    field = fields[-1] if fields else None
    variable = _variable(settings, names[: max(1, len(fields))])
    allowed = _allowed(field) if field else "text"
    if field is not None and _is_secret(field.annotation):
        return f"{variable} has a value that is not shown; it has to be {allowed}."
    return (
        f"{variable} is “{masked(os.environ.get(variable, str(value)))}”; it has to be {allowed}."
    )


def _unreadable(settings: type[BaseSettings], error: SettingsError) -> str:
    """Say which variable is not the JSON that its setting is written in."""
    name = next(name for name in settings.model_fields if f'"{name}"' in str(error))
    allowed = _allowed(settings.model_fields[name])
    return f"{_variable(settings, [name])} cannot be read; it has to be {allowed}."


def _allowed(field: FieldInfo) -> str:
    """Return the description of the field, or of the type that it is optional of."""
    inner = (each for part in get_args(field.annotation) for each in get_args(part))
    described = [each.description for each in (field, *inner) if isinstance(each, FieldInfo)]
    return next(filter(None, described), "text")


def _fields(model: type[BaseModel], names: Sequence[str]) -> Iterator[FieldInfo]:
    """Yield the fields on the way to a nested setting, as far as they exist."""
    fields: Mapping[str, FieldInfo] = model.model_fields
    for name in names:
        if name not in fields:
            return
        field = fields[name]
        yield field
        nested = field.annotation
        if not (isinstance(nested, type) and issubclass(nested, BaseModel)):
            return
        fields = nested.model_fields


def _variable(settings: type[BaseSettings], names: Sequence[str]) -> str:
    return f"{settings.model_config['env_prefix']}{'__'.join(names)}".upper()


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))
