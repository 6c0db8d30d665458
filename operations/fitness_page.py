"""Render a fitness report as a page without any external resource, or as a part of one."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domain.fitness.report import FitnessReport
from domain.frozen import FrozenModel

TEMPLATES = Path(__file__).parent / "templates"


def render_html(report: FitnessReport) -> bytes:
    """Return a page that is whole by itself: in light and dark, and on narrow screens."""
    return _templates().get_template("fitness.html").render(report=report).encode()


def render_sections(report: FitnessReport) -> Markup:
    """Return the sections of the page, to be put into another."""
    # Jinja escapes every value of the report.
    return Markup(  # noqa: S704
        _templates().get_template("fitness_body.html").render(report=report)
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _figure
    environment.globals["rows"] = _rows
    return environment


def _figure(value: object) -> object:
    """Write numbers with separators, and nothing for what is not there."""
    return f"{value:,}" if isinstance(value, int | float) else "–" if value is None else value


def _rows(items: tuple[FrozenModel, ...], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(item, field) for field in fields) for item in items]
