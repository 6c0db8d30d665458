"""The task of a fitness report, and its summary for people in Prefect's UI."""

from collections.abc import Iterator

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from domain.fitness.report import FitnessReport, SplitReport, Verdict
from domain.versions.naming import as_argument
from domain.versions.record import VersionRecord
from operations import resources
from operations.fitness import fitness as compute
from tasks.markdown import code, inline, key_by_name
from tasks.policies import retried


@task(name="fitness", task_run_name="fitness", **retried(3), cache_policy=NO_CACHE)
def fitness(version: VersionRecord) -> FitnessReport:
    return compute(resources.engine(), resources.training_files_store(), version)


def report_fitness(report: FitnessReport) -> None:
    """Record what trainers would learn; each training file has one timeline."""
    create_markdown_artifact(
        key=key_by_name("fitness", report.training_file),
        markdown=fitness_markdown(report),
        description=f"Fitness of version {report.version} of “{inline(report.training_file)}”",
    )


def fitness_markdown(report: FitnessReport) -> str:
    """Write the verdicts, lengths, damage and sides: counts only, and no text of a conversation."""
    lengths, damage = report.lengths, report.damage
    command = f"trainfold fitness --version {report.version} {as_argument(report.training_file)}"
    lines = [
        f"# {inline(report.training_file)}, version {report.version}: fitness",
        "",
        f"{report.targets:,} approved answers of {report.target_tokens:,} tokens, counted with "
        f"{report.tokenizer.name}, in {report.conversations:,} conversations.",
        "",
        "| trainer | settings | length | whole | cut | dropped | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *map(_verdict, report.verdicts),
        "",
        f"- Lengths: median {lengths.median:,}, 95 % at most {lengths.percentile_95:,}, longest "
        f"{lengths.maximum:,} tokens.",
        f"- Damage: {damage.damaged_targets:,} answers, {damage.after_damage:,} more after damage; "
        f"{damage.clean:,} are clean with their context.",
        *_split(report.split),
        "",
        f"All findings: {code(command + ' -o fitness.html')}, or the console's page *Fitness*.",
    ]
    return "\n".join(lines)


def _verdict(verdict: Verdict) -> str:
    numbers = (verdict.max_length, verdict.whole, verdict.cut, verdict.dropped)
    cells = (
        verdict.trainer,
        verdict.setting,
        *(f"{number:,}" for number in numbers),
        "fit" if verdict.is_fit else "**not fit**",
    )
    return f"| {' | '.join(cells)} |"


def _split(split: SplitReport) -> Iterator[str]:
    if not split.is_assigned:
        yield "- Split: not assigned."
        return
    yield f"- Split: {split.leak_count:,} leaks."
    yield ""
    yield "| emotional arc | train | validation | unassigned |"
    yield "| --- | --- | --- | --- |"
    for arc in split.arcs:
        yield f"| {inline(arc.arc)} | {arc.train:,} | {arc.validation:,} | {arc.unassigned:,} |"
