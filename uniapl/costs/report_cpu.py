"""The plan of a scale without GPUs as text, in the words of report.py."""

from dataclasses import replace

from uniapl.costs.assumptions import with_sources
from uniapl.costs.cpu import CpuEstimate
from uniapl.costs.estimate import group_by_peak
from uniapl.costs.fit import in_gb, per_step
from uniapl.costs.rates import AGAIN, COMMITTED
from uniapl.costs.report import jobs_of
from uniapl.costs.shapes import SOURCES


def rates(e: CpuEstimate) -> list[str]:
    """Whose rates these are, and the rates."""
    r, other = e.rates, f"; {AGAIN.format(scale=e.runs.scale.name)}" if e.path == COMMITTED else ""
    return [
        "",
        f"rates of {r.machine}, {r.precision}, {r.jobs} job(s) at a time with {r.threads} thread(s) each, {r.date} "
        f"({r.note}){other}",
        f"a decoding step of R rows with C tokens before each: {1e3 * r.step:.0f} + R ({1e3 * r.token:.2f} + "
        f"{1e6 * r.context:.1f} C / 1000) ms; a training pass {r.train:,.0f} tokens/s, one without gradient "
        f"{r.forward:,.0f}",
    ]


def time(e: CpuEstimate) -> list[str]:
    """Hours per arm, of the other stages and in total; of a checkpoint's evaluation; seconds of a step."""
    lines = ["", f"hours of all runs of an arm, {e.rates.jobs} job(s) at a time; a base is fetched and only evaluated"]
    lines.append(f"{'arm':<23} {'runs':>4} {'train':>7} {'generate':>8} {'total':>8}")
    for arm, hours in sorted(e.arms.items()):
        trained = f"{hours.runs:>4} {hours.train:>7.1f}" if hours.runs else f"{'':>4} {'':>7}"
        lines.append(f"{arm:<23} {trained} {hours.generate:>8.1f} {hours.total:>8.1f}")
    lines += [f"{stage:<45} {hours:>8.1f}" for stage, hours in e.other.items()]
    return [*lines, f"{'in all':<45} {e.total:>8.1f}", *tuning(e), "", *parts(e)]


def tuning(e: CpuEstimate) -> list[str]:
    """What the choice of settings costs before the run: a target of its own, which `all` does not ask for."""
    if not e.runs.tuning:
        return []
    arms = replace(e, experiments=e.runs.tuning).arms
    trained = [hours for arm, hours in arms.items() if arm not in e.runs.shared]  # shared ones are the run's own
    total = sum(hours.train for hours in trained) + sum(hours.generate for hours in arms.values())
    count = f"snakemake tuning: {sum(hours.runs for hours in trained)} trainings"
    return [f"{'beside it, the choice of settings':<45} {total:>8.1f} ({count})"]


def parts(e: CpuEstimate) -> list[str]:
    """Seconds of a step of each arm, minutes of a checkpoint's evaluation."""
    steps: dict[tuple[float, str], list[str]] = {}
    trained = [e.runs.run(arm, 0) for arm, hours in sorted(e.arms.items()) if hours.runs]
    for run in trained:
        spent = ", ".join(f"{name} {seconds:.0f}" for name, seconds in e.step(run).items())
        steps.setdefault((sum(e.step(run).values()), spent), []).append(f"{run.arm} ({run.settings.steps})")
    lines = ["seconds of a step of an arm (of so many), in one job, by what they are spent on"]
    lines += [f"{total:>7.0f}  {', '.join(arms)}: {spent}" for (total, spent), arms in sorted(steps.items())]
    lines.append(f"{e.probe:>7.0f}  a measurement of the probe, at the start and every probe_every steps")
    counts, minutes = e.benchmarks("test"), e.generate_seconds("test")
    each = [f"{name} ({n}) {minutes[name] / 60:.0f}" for name, n in counts.items()]
    read = minutes["log-probabilities"] / 60
    lines.append(
        f"minutes of one job that evaluates a checkpoint: for each decoding {', '.join(each)}; "
        f"log-probabilities {read:.0f}; in all {e.evaluated('test') / 60:.0f}"
    )
    limits = {run.settings.max_new_tokens for run in trained if per_step(run)[0]}
    limits |= {e.runs.scale.evaluation.max_new_tokens, e.runs.scale.world.base.max_tokens}
    means = [f"{e.lengths.mean(limit):.0f} of {limit} ({e.lengths.longer(limit):.0%} cut)" for limit in sorted(limits)]
    lines.append(f"mean tokens of a response, by its limit: {', '.join(means)}")
    return lines


def memory(e: CpuEstimate) -> list[str]:
    """The fullest moment of each kind of job, in GB of this machine, and what does not fit."""
    size = f"{e.memory / 1e9:.0f}, at which {e.at_once} job(s) run at a time"
    lines = ["", f"GB of this machine's {size}: of each at its fullest moment, longest rows, in float32"]
    for names, of in group_by_peak(e.peaks):
        lines += [f"{sum(of.values()) / 1e9:>7.1f}  {names}", f"         {in_gb(of)}"]
    refused = [f"- {line}" for line in e.does_not_fit]
    return [*lines, "", *(["does not fit, with the longest rows:", *refused] if refused else ["everything fits"])]


def assumptions(e: CpuEstimate) -> list[str]:
    """Every assumed value with its source, and the shape's source."""
    values = [
        f"- {name} = {value if isinstance(value, tuple) else f'{value:g}'}: {source}"
        for name, value, source in with_sources(e.c)
    ]
    return [
        "",
        "assumptions (uniapl/costs/assumptions.py, OnCpu):",
        *values,
        f"- shape of {e.rates.model}: {SOURCES[e.rates.model]}",
    ]


def text(e: CpuEstimate) -> str:
    """The whole plan."""
    lines = jobs_of(e.runs, e.experiments) + rates(e) + time(e) + memory(e) + assumptions(e)
    return "\n".join(lines)
