"""How many prompts does each arm follow, on the kind it was trained for and on kinds it has never seen?"""

from pathlib import Path

from figures import points, style

NEEDS = ("headline",)
WIDEST = 3  # panels in a row


def draw(results: Path):
    """Dots with intervals: a panel per benchmark, a row per arm, one axis of percent."""
    table, path = points.accuracy(results, "headline")
    return *panels(table), [path]


def panels(table):
    """The figure and its caption, for every arm and benchmark of the table."""
    benchmarks, arms = style.benchmarks(table), style.in_order(table.arm)
    fig = style.figure(style.TWO_COLUMNS, 0.2 + (0.5 + 0.24 * len(arms)) * -(-len(benchmarks) // WIDEST))
    axes = style.panels(fig, len(benchmarks), WIDEST, sharex=True, sharey=True)
    for ax, benchmark in zip(axes, benchmarks, strict=True):
        of_benchmark = table[table.benchmark == benchmark]
        points.rows(ax, of_benchmark, arms, [style.label(arm) for arm in arms])
        ax.set_title(f"{style.benchmark(benchmark)} (n = {style.span(of_benchmark.n_prompts)})")
    ax.set_xlim(left=0)  # of all, once each has its intervals
    fig.supxlabel("prompts followed, strict (%)")
    caption = f"""Prompts of which every instruction is followed (prompt-level strict accuracy, percent),
        {table.decoding.iloc[0]} decoding. Marker: mean over prompts and seeds. Line: 95 % interval,
        {style.methods(table)}{points.cut(table)}. Number of {style.seeds(table)}. Number of {style.prompts(table)}."""
    return fig, caption


if __name__ == "__main__":
    style.main(draw)
