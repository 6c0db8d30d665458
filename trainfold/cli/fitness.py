"""`fitness`: what a model would learn from a version."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from db.engine import reading
from db.versions import find_stored_version
from domain.documents import fitness_document
from domain.fitness.report import FitnessReport
from domain.versions.record import VersionRecord
from operations import resources
from operations.fitness import fitness as compute
from trainfold.cli.atomic import whole_file
from trainfold.cli.downloads import Number
from trainfold.cli.output import Json, print_facts, print_table, say, show, stderr, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import File


def fitness(
    file: File,
    version: Number = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="HTML", help="Also write a page to this file."),
    ] = None,
    json: Json = False,
) -> None:
    """Report what trainers would learn from a version, damage, leaks, and what repeats.

    Figures of a conversation are computed once and kept, so that the next version's report takes a
    moment.
    """
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise typer.BadParameter(f"{output} cannot be a file. Nothing was computed.")
    ready("database", "s3")
    with reading(resources.engine()) as connection:
        record = find_stored_version(connection, file, version)
    report = compute_with_progress(record)
    if output is not None:
        from operations.fitness_page import render_html  # noqa: PLC0415 - imports Jinja

        with whole_file(output, force=True) as page:
            page.write(render_html(report))
        say(f"Wrote {output} ({output.stat().st_size:,} bytes)")
    show(fitness_document(report), lambda: _print(report))


def compute_with_progress(record: VersionRecord) -> FitnessReport:
    """Compute the report, with a bar on standard error."""
    with Progress(console=stderr, transient=True) as bar:
        task = bar.add_task("Counting", total=None)
        return compute(
            resources.engine(),
            resources.training_files_store(),
            record,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _print(report: FitnessReport) -> None:
    print_table(
        ["trainer", "settings", "#length", "#whole", "#cut", "#dropped", "#repeated",
         "#system tokens", "#client's", "#consultant's", "verdict", "source"],
        (
            (v.trainer, v.setting, v.max_length, v.whole, v.cut, v.dropped, v.repeated,
             *v.trained_tokens.values(), "fit" if v.is_fit else "not fit", v.source)
            for v in report.verdicts
        ),
        empty="",
    )  # fmt: skip
    stdout.print()
    print_facts(_facts(report))
    if report.changes:
        stdout.print()
        print_table(
            [f"changed since version {report.compared_with}", "#before", "#now"],
            ((change.figure, change.before, change.after) for change in report.changes),
            empty="",
        )
    say("`-o report.html` writes all findings to a page, `--json` prints them.")


def _facts(report: FitnessReport) -> list[tuple[str, object]]:
    lengths, damage, split = report.lengths, report.damage, report.split
    sizes = ", ".join(f"{a.arc} {a.train} + {a.validation}" for a in split.arcs)
    near = report.likeness.near_duplicates[:3]
    return [
        ("approved answers", f"{report.targets:,} in {report.conversations:,} conversations"),
        ("tokens in answers", f"{report.target_tokens:,}, counted with {report.tokenizer.name}"),
        (
            "lengths",
            f"median {lengths.median:,}, 95 % at most {lengths.percentile_95:,}, "
            f"longest {lengths.maximum:,} tokens",
        ),
        (
            "damage",
            f"{damage.damaged_targets:,} answers, {damage.after_damage:,} after damage; "
            f"{damage.clean:,} are clean with their context",
        ),
        (
            "export",
            f"{report.export.unanswered:,} lose a last turn, {report.export.without_target:,} are "
            f"left out, {report.export.not_a_chat:,} are no chat",
        ),
        ("split", f"{sizes}; {split.leak_count:,} leaks" if split.is_assigned else "not assigned"),
        (
            "near-duplicates",
            f"{report.likeness.near_duplicate_count:,}"
            + "".join(f"; {alike.second} is like {alike.first}" for alike in near),
        ),
        (
            "personal data",
            ", ".join(f"{n} × {kind}" for kind, n in report.personal.counts.items())
            or "none found",
        ),
        ("no information in", ", ".join(report.balance.without_information) or "no field"),
    ]
