"""How many prompts does each arm follow, on the kind it was trained for and on kinds it has never seen?"""

from pathlib import Path

from figures import points, style

NEEDS = ("headline",)
WIDEST = 3  # panels in a row
WIDEST_LABEL = 22  # letters of a label beside which a panel's title has room on one line


def draw(results: Path):
    """Dots with intervals: a panel per benchmark, a row per arm, one axis of percent."""
    table, path = points.accuracy(results, "headline")
    return *panels(table), [path]


def panels(table):
    """The figure and its caption, for every arm and benchmark of the table."""
    benchmarks, arms = style.benchmarks(table), style.in_order(table.arm)
    labels = [style.wrapped(arm) for arm in arms]
    gap = " " if max(map(len, labels)) <= WIDEST_LABEL else "\n"  # long labels leave narrow panels
    titles = {name: style.title(name, table[table.benchmark == name], gap) for name in benchmarks}
    height = 0.5 + style.more_than_one_line(titles.values()) + style.row_height(labels, 0.24) * len(arms)
    fig = style.figure(style.TWO_COLUMNS, 0.2 + height * -(-len(benchmarks) // WIDEST))
    axes = style.panels(fig, len(benchmarks), WIDEST, sharex=True, sharey=True)
    for ax, benchmark in zip(axes, benchmarks, strict=True):
        of_benchmark = table[table.benchmark == benchmark]
        points.rows(ax, of_benchmark, arms, labels)
        ax.set_title(titles[benchmark])
    ax.set_xlim(left=0)  # of all, once each has its intervals
    fig.supxlabel("prompts followed, strict (%)")
    caption = f"""Prompts of which every instruction is followed (prompt-level strict accuracy, percent),
        {table.decoding.iloc[0]} decoding. Marker: mean over prompts and seeds. Line: 95 % interval,
        {style.methods(table)}{points.cut(table)}. Number of {style.seeds(table)}. Number of {style.prompts(table)}."""
    return fig, caption


if __name__ == "__main__":
    style.main(draw)
