"""How many demonstrations does each method need?"""

from pathlib import Path

from matplotlib.ticker import NullLocator

from figures import points, recipes, style

NEEDS = ("demonstrations",)
(EXPERIMENT,) = NEEDS


def draw(results: Path):
    """Accuracy against the number of prompts with a demonstration, a panel per benchmark, a line per method."""
    x = {arm: recipes.demonstrations(chain) for arm, chain in recipes.chains(results, EXPERIMENT).items()}
    table, path = points.accuracy(results, EXPERIMENT)
    table = points.needed(table, ["base", *x], path)
    methods = style.in_order(style.method(arm) for arm in set(table.arm) & set(x))
    benchmarks, ticks = style.benchmarks(table), sorted({x[arm] for arm in set(table.arm) & set(x)})
    fig = style.figure(style.TWO_COLUMNS, 2.1)
    for ax, benchmark in zip(style.panels(fig, len(benchmarks), 3), benchmarks, strict=True):
        rows = table[table.benchmark == benchmark]
        for place, method in enumerate(methods):
            factor = 1.14 ** (place - (len(methods) - 1) / 2)  # side by side, so that intervals stay apart
            of_method = {arm: n * factor for arm, n in x.items() if style.method(arm) == method}
            look = style.look(method)
            points.joined(ax, of_method, rows, color=look.colour, linestyle=look.line)
        for _, row in rows[rows.arm == "base"].iterrows():
            points.level_line(ax, row, "base")
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
        ax.set_ylim(bottom=0)
        ax.set_title(style.title(benchmark, rows))
        ax.grid(axis="y")
    arms = [arm for arm in ("base", *methods) if arm != "base" or "base" in set(table.arm)]
    handles = [points.handle(arm, marker=arm != "base") for arm in arms]
    fig.legend(handles=handles, loc="outside upper center", ncols=min(5, len(handles)), handlelength=3.2)
    fig.supxlabel("training prompts that have a demonstration (logarithmic axis)")
    fig.supylabel("prompts followed (%)")
    caption = f"""Accuracy by the number of training prompts that have a demonstration; steps and rows per step are the
        same for every number. Markers of one number stand side by side. {points.counted(table)} Number of
        {style.seeds(table)}. Number of {style.prompts(table)}."""
    return fig, caption, [path]


if __name__ == "__main__":
    style.main(draw)
