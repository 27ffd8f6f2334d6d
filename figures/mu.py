"""Does the schedule of mu, the weight of the demonstrations, matter?"""

from pathlib import Path

from figures import points, style

NEEDS = ("mu_schedule",)
(EXPERIMENT,) = NEEDS
NAMES = {
    "uniapl": "decay",
    "mu_warmup": "warmup, then decay",
    "mu_constant": "constant",
    "mu_phi": "per token (φ)",
}


def draw(results: Path):
    """A row per schedule and per other arm of the experiment, a panel per benchmark."""
    table, path = points.accuracy(results, EXPERIMENT)
    others = [arm for arm in style.in_order(table.arm) if arm not in NAMES]
    arms = [*others, *(arm for arm in NAMES if arm in set(table.arm))]
    labels = [f"μ: {NAMES[arm]}" if arm in NAMES else style.wrapped(arm) for arm in arms]
    benchmarks = style.benchmarks(table)
    titles = {name: style.title(name, table[table.benchmark == name]) for name in benchmarks}
    height = 0.65 + style.more_than_one_line(titles.values()) + style.row_height(labels, 0.24) * len(arms)
    fig = style.figure(style.TWO_COLUMNS, height)
    for ax, benchmark in zip(style.panels(fig, len(benchmarks), 3, sharex=True, sharey=True), benchmarks, strict=True):
        rows = table[table.benchmark == benchmark]
        points.rows(ax, rows, arms, labels)
        ax.set_title(titles[benchmark])
    ax.set_xlim(left=0)  # of all, once each has its intervals
    fig.supxlabel("prompts followed, strict (%)")
    caption = f"""UniAPL with other schedules of mu, the weight of the demonstrations; decay is UniAPL's own.
        {points.counted(table)} Number of {style.seeds(table)}. Number of {style.prompts(table)}."""
    return fig, caption, [path]


if __name__ == "__main__":
    style.main(draw)
