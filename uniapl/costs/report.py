"""The plan as text."""

from dataclasses import replace

from uniapl.config.runs import Runs
from uniapl.costs import jobs, teaching
from uniapl.costs.assumptions import with_sources
from uniapl.costs.estimate import LIMITED, Estimate, group_by_peak
from uniapl.costs.fit import in_gb
from uniapl.costs.shapes import SOURCES


def jobs_of(runs: Runs, experiments: list[str]) -> list[str]:
    """The first lines: scale, experiments, jobs per stage."""
    counts = jobs.by_stage(runs, experiments)
    stages = ", ".join(f"{count} {stage}" for stage, count in counts.items())
    return [
        f"scale {runs.scale.name}: {', '.join(experiments)}",
        f"{sum(counts.values())} jobs: {stages}",
    ]


def without_gpu(runs: Runs) -> list[str]:
    """What can be said of a scale that runs on a CPU."""
    scale = runs.scale
    return [
        f"{scale.minutes} on {scale.hardware}: measured, by its own runs; there is no arithmetic for a CPU here",
        "memory: each job asks for what its stage does in experiments/scales.py; nothing is held against a GPU",
    ]


def time(e: Estimate) -> list[str]:
    """GPU-hours per arm and in total, days."""
    lines = ["", "GPU-hours of all runs of an arm; GPUs of one of them; a base is fetched and only evaluated"]
    lines.append(f"{'arm':<23} {'runs':>4} {'GPUs':>4} {'train':>7} {'generate':>8} {'total':>8}")
    for arm, hours in sorted(e.hours.items()):
        trained = f"{hours.runs:>4} {hours.gpus:>4} {hours.train:>7.1f}" if hours.runs else f"{'':>4} {'':>4} {'':>7}"
        lines.append(f"{arm:<23} {trained} {hours.generate:>8.1f} {hours.total:>8.1f}")
    for stage, hours in e.other_hours.items():
        most = " (its time limit: no arithmetic)" if stage in LIMITED else ""
        lines.append(f"{stage:<50} {hours:>7.1f}{most}")
    limits = sum(e.other_hours[stage] for stage in LIMITED)
    lines.append(f"{'in all':<50} {e.total_hours:>7.1f} (of these {limits:.1f} are time limits)")
    lines += tuning(e)
    lines.append(f"at least {e.days:.1f} days on {e.gpus} GPU(s): all busy, and no less than the longest chain of jobs")
    return lines


def tuning(e: Estimate) -> list[str]:
    """What the choice of settings costs before the run: a target of its own, which `all` does not ask for."""
    if not e.runs.tuning:
        return []
    first = replace(e, experiments=e.runs.tuning)
    hours = sum(of_arm.total for of_arm in first.hours.values())
    count = f"snakemake tuning: {len(first.trainings)} trainings"
    return [f"{'beside it, the choice of settings':<50} {hours:>7.1f} ({count})"]


def teacher(e: Estimate, token_prices: tuple[float, float] | None) -> list[str]:
    """Tokens and cost of the demonstrations."""
    world = e.runs.scale.world
    work, budget = teaching.teaching(world, e.a), world.teacher.token_budget
    over = "within" if work.tokens <= budget else "ABOVE"
    lines = [
        "",
        f"teacher {world.teacher.model}: {work.prompts:,} prompts ({world.train:,} to train on, "
        f"{world.validation:,} to validate, {e.a.test_prompts:,} to test), {work.answers:,.0f} answers "
        f"(at most {world.teacher.attempts} each), {work.demonstrations:,.0f} of {world.train:,} training prompts "
        "with a demonstration",
        f"tokens: {work.prompt_tokens / 1e6:.1f} million of prompts, {work.response_tokens / 1e6:.1f} of answers; "
        f"{over} token_budget {budget / 1e6:.0f} million ("
        f"{work.most_tokens / 1e6:.0f} million where every prompt needs all attempts and every answer its full length)",
        f"on {e.gpus_granted('teach')} GPU(s): {e.teach_seconds / 3600:.1f} hours, "
        f"{e.other_hours['teach']:.1f} GPU-hours",
    ]
    if token_prices:
        lines.append(f"from an endpoint: {teaching.price(work, *token_prices):,.2f}")
    return lines


def memory(e: Estimate) -> list[str]:
    """The fullest moment of each kind of job, in GB of one GPU."""
    lines = ["", f"GB on one GPU of {e.gpu.memory / 1e9:.0f}, at the fullest moment, longest rows"]
    for names, parts in group_by_peak(e.peaks):
        lines += [f"{sum(parts.values()) / 1e9:>7.1f}  {names}", f"         {in_gb(parts)}"]
    lines.append("the probe: validation prompts that a training answers at times, held against base and discriminator")
    lines.append(f"vLLM beside a training has room for {e.cache_tokens:,} tokens of keys and values")
    return lines


def disk(e: Estimate) -> list[str]:
    parts = ", ".join(f"{name} {size / 1e9:,.0f}" for name, size in e.disk.items())
    parts += " (states to resume from, of as many as run at a time)"
    return ["", f"disk {sum(e.disk.values()) / 1e9:,.0f} GB: {parts}"]


def fits(e: Estimate) -> list[str]:
    lines = [f"- {line}" for line in e.does_not_fit]
    return ["", "does not fit, with the longest rows:", *lines] if lines else ["", "everything fits"]


def assumptions(e: Estimate) -> list[str]:
    """Every assumed value with its source, the GPU's and the shapes' sources."""
    values = [f"- {name} = {value:g}: {source}" for name, value, source in with_sources(e.a)]
    models = [f"- shape of {model}: {SOURCES[model]}" for model in e.models]
    return ["", "assumptions (uniapl/costs/assumptions.py):", *values, f"- GPU: {e.gpu.source}", *models]


def text(e: Estimate, gpu_price: float | None, token_prices: tuple[float, float] | None) -> str:
    """The whole plan."""
    lines = jobs_of(e.runs, e.experiments) + time(e)
    if gpu_price:
        lines.append(f"at {gpu_price:g} per GPU-hour: {e.total_hours * gpu_price:,.0f}")
    return "\n".join(lines + teacher(e, token_prices) + memory(e) + disk(e) + fits(e) + assumptions(e))
