"""What does accuracy cost? Each arm's tokens against its accuracy, and the arms that no cheaper arm reaches.

Cost is tokens, sampled and trained on, and not seconds: tokens are those of the recipe on any machine, while the
seconds of one recipe differ with the machine and with what ran beside it.
"""

from pathlib import Path

import pandas as pd

from figures import points, style

NEEDS = ("headline", "staged", "unified")
PANELS = {  # title: its experiments, where an arm of several stands for the first
    "the headline's arms": ("headline",),
    "with and without the adversarial term": ("staged", "unified"),
}
NEAR, PASSES = 0.015, 200  # two markers closer than this share of the axis would hide each other
SPENT = ("tokens_generated", "tokens_trained")


def draw(results: Path):
    """A panel per group of experiments, each with its own front: no comparison across numbers of seeds."""
    panels = {title: read(results, names) for title, names in PANELS.items()}
    ends = [table.cost.max() for table, _ in panels.values()]
    near = NEAR * max(ends)
    everything = pd.concat([table for table, _ in panels.values()])
    arms = style.in_order(everything.arm)
    labels = [style.wrapped(arm) for arm in arms]
    fig = style.figure(style.TWO_COLUMNS, max(3.0, 0.4 + style.row_height(labels, 0.165) * len(labels)))
    axes = fig.subplots(1, len(panels), sharey=True, width_ratios=ends)  # one scale for all
    for ax, (title, (table, _)) in zip(axes, panels.items(), strict=True):
        best = front(table)
        steps = [*best.cost, table.cost.max()], [*best.estimate, best.estimate.max()]
        ax.step(*steps, where="post", color="black", linewidth=0.7, zorder=1.5)
        points.joined(ax, dict(zip(table.arm, spread_apart(table.cost, near), strict=True)), table)
        ax.set_xlim(-0.04 * table.cost.max(), 1.04 * table.cost.max())
        title = f"{title} ({style.span(table.n_seeds[table.arm != 'base'])} seeds)"
        ax.set_title(title if style.lines(labels) == 1 else style.fold(title))  # long labels leave narrow panels
        ax.grid()
    axes[0].set_ylabel("prompts followed (%)")
    fig.supxlabel("tokens sampled and tokens trained on, in all stages (millions)")
    handles = [points.handle(arm) for arm in arms]
    for handle in handles:
        handle.set_linestyle("")
    fig.legend(handles=handles, loc="outside right center", handlelength=1.0)
    fronts = "; ".join(f"{t}: {', '.join(map(style.label, front(table).arm))}" for t, (table, _) in panels.items())
    where = style.benchmark(everything.benchmark.iloc[0])
    sides = zip(panels.values(), ("left", "right"), strict=True)
    seeds = ", ".join(
        f"{style.one_or_each(table.groupby('arm').n_seeds.max())} on the {side}" for (table, _), side in sides
    )
    moved = max((spread_apart(table.cost, near) - table.cost).abs().max() for table, _ in panels.values())
    caption = f"""Cost against accuracy on {where}. {points.counted(everything)} Cost: response tokens sampled, plus
        prompt and response tokens in the loss, of every stage after the base, whose cost is 0 here; mean over seeds.
        What the discriminator reads is not counted. Black steps: the Pareto front of the point estimates, which
        ignores their intervals, so that an arm on it need not be better than a cheaper one. On the front, {fronts}.
        Markers of nearly equal cost are moved apart, by {moved:.3f} million tokens at most. Number of seeds per arm:
        {seeds}. Number of {style.prompts(everything)}."""
    return fig, caption, [path for _, paths in panels.values() for path in paths]


def read(results: Path, experiments: tuple[str, ...]) -> tuple[pd.DataFrame, list[Path]]:
    """Accuracy on the first benchmark with the column cost, in millions of tokens; an arm without a cost has no row."""
    tables, costs, paths = [], {}, []
    for name in experiments:
        table, path = points.accuracy(results, name)
        tables.append(table[table.benchmark == style.benchmarks(table)[0]])
        of_experiment, spent = tokens(results, name)
        paths += [path, spent]
        costs = of_experiment | costs
    table = pd.concat(tables, ignore_index=True).drop_duplicates("arm")
    return table.assign(cost=table.arm.map(costs)).dropna(subset=["cost", "estimate"]), paths


def tokens(results: Path, experiment: str) -> tuple[dict[str, float], Path]:
    """Arm -> millions of tokens sampled and trained on, in all of its stages; the base, which all share, is free."""
    path = style.analysis(results, experiment) / "cost.csv"
    spent = style.read(path, ("arm",), SPENT).set_index("arm")
    return {"base": 0.0} | dict(spent[[*SPENT]].sum(axis=1, skipna=False) / 1e6), path


def spread_apart(cost: pd.Series, gap: float) -> pd.Series:
    """The costs with at least `gap` between any two, in their order and moved as little as a few passes allow."""
    moved = cost.sort_values()
    for _ in range(PASSES):
        short = (gap - moved.diff()).clip(lower=0).fillna(0)
        moved = moved + (short - short.shift(-1, fill_value=0)) / 2
    return moved.reindex(cost.index)


def front(table: pd.DataFrame) -> pd.DataFrame:
    """The rows whose estimate is above that of every row that costs as much or less, cheapest first."""
    table = table.sort_values(["cost", "estimate"], ascending=[True, False])
    return table[table.estimate > table.estimate.cummax().shift(fill_value=float("-inf"))]


if __name__ == "__main__":
    style.main(draw)
