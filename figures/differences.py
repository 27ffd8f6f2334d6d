"""By how many points does each arm differ from the comparators, such as GRPO and the pipeline SFT→GRPO?"""

from pathlib import Path

import pandas as pd
from matplotlib.lines import Line2D

from figures import style
from uniapl.analyse.accuracy import PREDICTED
from uniapl.errors import UserError

NEEDS = ("headline",)
WORDS = ("arm", "against", "benchmark", "metric", "decoding", "method")
NUMBERS = (
    "difference",
    "low",
    "high",
    "seed_low",
    "seed_high",
    "p_holm",
    "n_seeds",
    "n_seeds_against",
    "n_prompts",
)
ALPHA = 0.05
WIDEST_LABEL = 22  # letters of a label beside which a panel's title has room on one line
IN_A_LINE = 5  # entries of the legend
PREDICTION = """Thin line at its ends: 95 % prediction interval, in which 95 % of reruns with as many other
        seeds lie. """
PUBLISHED = Line2D([], [], color="#999999", linewidth=1.2, marker="|", label="published")


def draw(results: Path):
    """Forest plot of the trained arms: a row of panels per comparator, a column per benchmark, equal axes.

    Of a local set whose scale is published too, every interval has the published one below it.
    """
    path, ours = (style.analysis(root) / "comparisons.csv" for root in (results, published(results)))
    table = with_predictions(style.read(path, WORDS, NUMBERS, metric="prompt_strict"))
    decoding = style.first_of(table.decoding, "greedy")
    table = table[(table.decoding == decoding) & (table.arm != "base")]
    paths = [path, ours] if ours != path and ours.is_file() else [path]
    other = None
    if ours in paths[1:]:
        other = with_predictions(style.read(ours, WORDS, NUMBERS, metric="prompt_strict", decoding=decoding))
    if table.empty:
        raise UserError(f"{path}: no {decoding} rows of an arm other than the base")
    benchmarks, comparators = style.benchmarks(table), style.in_order(table.against)
    arms = {against: style.in_order(table.arm[table.against == against]) for against in comparators}
    heights = [len(arms[against]) for against in comparators]
    labels = {arm: style.wrapped(arm) for arm in set(table.arm)}
    row_height = style.row_height(labels.values(), 0.24 if other is None else 0.3)
    fig = style.figure(style.TWO_COLUMNS, 0.65 + 0.3 * len(heights) + row_height * sum(heights))
    grid = fig.subplots(len(heights), len(benchmarks), squeeze=False, sharex=True, sharey="row", height_ratios=heights)
    for axes, against in zip(grid, comparators, strict=True):
        for ax, benchmark in zip(axes, benchmarks, strict=True):
            rows = table[(table.against == against) & (table.benchmark == benchmark)].set_index("arm")
            ax.axvline(0, color="black", linewidth=0.6, zorder=1)
            for y, arm in enumerate(arms[against]):
                if arm in rows.index:
                    interval(ax, y, rows.loc[arm], style.look(arm))
                if other is not None:
                    pair = (other.arm == arm) & (other.against == against) & (other.benchmark == benchmark)
                    beside(ax, y, other[pair])
            ax.grid(axis="x")
            ax.set_yticks(range(len(arms[against])), [labels[arm] for arm in arms[against]])
            ax.set_ylim(len(arms[against]) - 0.5, -0.7)
            if against == comparators[0]:
                n = table.n_prompts[table.benchmark == benchmark]
                gap = " " if len(benchmarks) <= 3 and max(map(len, labels.values())) <= WIDEST_LABEL else "\n"
                ax.set_title(f"{style.benchmark(benchmark)}{gap}(n = {style.span(n)})")
        axes[0].set_ylabel(f"minus\n{style.wrapped(against, 20)}")
    fig.align_ylabels(grid[:, 0])
    handles = key(predicted(table)) + ([PUBLISHED] if other is not None else [])
    columns = len(handles) if len(handles) <= IN_A_LINE else IN_A_LINE - 2
    fig.legend(handles=handles, loc="outside upper center", ncols=columns, columnspacing=1.2, handlelength=1.6)
    fig.supxlabel("difference in prompts followed, strict (points)")
    comparator = table[["against", "n_seeds_against"]].set_axis(["arm", "n_seeds"], axis=1)
    seeds = style.seeds(pd.concat([table[["arm", "n_seeds"]], comparator]))
    names = " and to ".join(style.label(against) for against in comparators)
    caption = f"""Difference of each arm to {names} in prompt-level strict accuracy, in points, {decoding}
        decoding; right of zero the arm is better. Each pair is shown once. Marker and thick line:
        difference and 95 % interval, {style.methods(table)}. {PREDICTION if predicted(table) else ""}Thin line below:
        95 % t interval over seeds, for these prompts; none where an arm has one seed. Filled marker: p below {ALPHA}
        after Holm's adjustment over all comparisons of a benchmark. Number of {seeds}. Number of
        {style.prompts(table)}.{against_ours(table, other)}"""
    return fig, caption, paths


def with_predictions(table: pd.DataFrame) -> pd.DataFrame:
    """The table with PREDICTED, blank where it is older than they."""
    return table.reindex(columns=[*table.columns, *(name for name in PREDICTED if name not in table)])


def predicted(table: pd.DataFrame) -> bool:
    return bool(table[PREDICTED[0]].notna().any())


def published(results: Path) -> Path:
    """The published set of the same scale; the set itself where it is no local one."""
    parts = results.parts
    return Path(*parts[:-2], "published", parts[-1]) if parts[-2:-1] == ("local",) else results


def beside(ax, y: float, row: pd.DataFrame) -> None:
    """The published difference with its bootstrap and its prediction interval, below those of the local one."""
    ax.hlines(y + 0.4, row.low, row.high, color=PUBLISHED.get_color(), linewidth=1.2)
    ax.hlines(y + 0.4, row.predict_low, row.predict_high, color=PUBLISHED.get_color(), linewidth=0.5)
    ax.plot(row.difference, [y + 0.4] * len(row), "|", color=PUBLISHED.get_color(), markersize=5)


def against_ours(table: pd.DataFrame, other: pd.DataFrame | None) -> str:
    """What the caption says of the published differences: how many local ones lie in their prediction intervals."""
    if other is None:
        return ""
    merged = table.merge(other, on=["arm", "against", "benchmark"], suffixes=("", "_published"))
    bars = f""" Grey bars below: the published differences of this scale with their 95 % intervals; published seeds per
        arm: {style.span(merged.n_seeds_published)}."""
    if not predicted(other):
        return f"{bars} That set has no prediction intervals."
    inside = (merged.difference >= merged.predict_low_published) & (merged.difference <= merged.predict_high_published)
    of_seeds = [merged[name] == merged[f"{name}_published"] for name in ("n_seeds", "n_seeds_against")]
    judged = of_seeds[0] & of_seeds[1] & merged.predict_low_published.notna()
    return f"""{bars} Their prediction intervals (thin) hold {(inside & judged).sum()} of the {judged.sum()} differences
        of as many seeds."""


def interval(ax, y: float, row, look: style.Look) -> None:
    """One comparison: the difference with its bootstrap interval, in that of a rerun; over seeds just below."""
    ax.hlines(y, row.low, row.high, color=look.colour, linewidth=1.8)
    ax.hlines(y, row.predict_low, row.predict_high, color=look.colour, linewidth=0.5)
    ax.hlines(y + 0.22, row.seed_low, row.seed_high, color="#444444", linewidth=0.7)
    face = look.colour if row.p_holm < ALPHA else "white"
    ax.plot(row.difference, y, look.marker, color=look.colour, markerfacecolor=face)
    ax.annotate(style.with_sign(row.difference), (row.difference, y), **style.ABOVE)


def key(with_reruns: bool) -> list[Line2D]:
    """The legend: what lines and markers mean."""
    grey, dot = "#888888", {"marker": "o", "linewidth": 0}
    reruns = [Line2D([], [], color=grey, linewidth=0.5, label="95 % of reruns")] if with_reruns else []
    return [
        Line2D([], [], color=grey, linewidth=1.8, label="95 %, seeds and prompts"),
        *reruns,
        Line2D([], [], color="#444444", linewidth=0.7, label="95 %, seeds only"),
        Line2D([], [], color=grey, **dot, label=f"Holm p < {ALPHA}"),
        Line2D([], [], color=grey, **dot, markerfacecolor="white", label=f"Holm p ≥ {ALPHA}"),
    ]


if __name__ == "__main__":
    style.main(draw)
