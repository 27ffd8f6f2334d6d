"""Does any method beat SFT→GRPO?  All at once: trained types, types never trained on, and what a training costs."""

from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from figures import pareto, placing, points, style
from uniapl.errors import UserError

NEEDS = ("mixtures",)
TRAINED, UNSEEN = "trained", "new_types"
PIPELINE = "sft_then_grpo"
MARKERS = {"single stage": "o", "pipeline": "D", "first stage": "s", "base": "v"}
SIZES = {"o": 5.6, "D": 4.9, "s": 5.2, "v": 5.6}  # points, of equal weight to the eye
NUMBER, WIDE, HIGH, APART = 6.5, 4.3, 5.6, 3.6  # points: a number's type, width of a digit, height; half a marker
LETTERS = 28  # of a name beside its accuracies
COLOURS = matplotlib.colormaps["viridis_r"].with_extremes(bad="white")  # darker costs more, in grey too


def draw(results: Path):
    """Accuracy on trained types against new types; each arm's number leads to its name, the most accurate first."""
    table, paths = read(results)
    names = [style.wrapped(arm, LETTERS) for arm in table.arm]
    fig = style.figure(style.TWO_COLUMNS, max(3.9, 1.0 + 0.145 * sum(map(rows, names))))
    ax, key = fig.subplots(1, 2, width_ratios=(1, 0.62))
    scale = ScalarMappable(Normalize(0, table.cost.max()), COLOURS)
    ax.hlines(table.y, table.x_low, table.x_high, color="#BBBBBB", linewidth=0.6, zorder=1.3)
    ax.vlines(table.x, table.y_low, table.y_high, color="#BBBBBB", linewidth=0.6, zorder=1.3)
    for row in table[table.arm == PIPELINE].itertuples():
        reference = dict(color="black", linewidth=0.7, linestyle=(0, (4, 2)), zorder=1.5)
        ax.axvline(row.x, **reference)
        ax.axhline(row.y, **reference)
    for row in table.itertuples():
        marker(ax, row.x, row.y, row, scale)
    ax.set_xlabel(f"prompts followed, {style.benchmark(TRAINED)} (%)")
    ax.set_ylabel(f"prompts followed, {style.benchmark(UNSEEN)} (%)")
    ax.grid()
    list_arms(key, table, names, scale)
    present = [name for name in MARKERS if name in set(table.family)]
    handles = [Line2D([], [], color="#555555", linewidth=0, marker=MARKERS[name], label=name) for name in present]
    if PIPELINE in set(table.arm):
        line = Line2D([], [], color="black", linewidth=0.7, linestyle=(0, (4, 2)), label=style.label(PIPELINE))
        handles.append(line)
    fig.legend(handles=handles, loc="outside upper center", ncols=len(handles), handlelength=1.8, columnspacing=1.4)
    bar = fig.colorbar(scale, ax=ax, location="bottom", fraction=0.05, aspect=40, pad=0.02)
    bar.set_label("tokens sampled and tokens trained on, in all stages (millions)")
    bar.outline.set_linewidth(0.4)
    number(fig, ax, table)
    return fig, caption(table), paths


def read(results: Path) -> tuple[pd.DataFrame, list[Path]]:
    """A row per arm with both accuracies, the most accurate on trained types first: place, arm, x, y, their intervals,
    cost (millions of tokens, nothing where it is not known), family."""
    accuracy, path = points.accuracy(results, NEEDS[0])
    sides = [accuracy[accuracy.benchmark == name].set_index("arm") for name in (TRAINED, UNSEEN)]
    if lacking := [name for name, side in zip((TRAINED, UNSEEN), sides, strict=True) if side.empty]:
        raise UserError(f"{path}: no rows with benchmark {lacking[0]!r}")
    named = {"estimate": "", "low": "_low", "high": "_high"}
    parts = [
        side[[*named]].rename(columns={column: axis + end for column, end in named.items()})
        for axis, side in zip("xy", sides, strict=True)
    ]
    table = parts[0].join(parts[1], how="inner").join(sides[0][["n_seeds", "method", "decoding"]])
    table = table.assign(n_x=sides[0].n_prompts, n_y=sides[1].n_prompts)
    costs, cost_path = pareto.tokens(results, NEEDS[0])
    table = table.reset_index().sort_values(["x", "y", "arm"], ascending=[False, False, True], ignore_index=True)
    table = table.assign(cost=table.arm.map(costs), family=[family(arm, set(table.arm)) for arm in table.arm])
    return table.assign(place=table.index + 1), [path, cost_path]


def family(arm: str, arms: set[str]) -> str:
    """A key of MARKERS. A first stage is one that a pipeline among `arms` goes on from."""
    if arm == "base":
        return "base"
    if "_then_" in arm:
        return "pipeline"
    return "first stage" if any(other.startswith(f"{arm}_then_") for other in arms) else "single stage"


def marker(ax, x: float, y: float, row, scale: ScalarMappable) -> None:
    """The symbol of an arm: its family's shape, its cost's colour; the pipeline's edge is heavier."""
    shape, edge = MARKERS[row.family], 1.4 if row.arm == PIPELINE else 0.5
    face = scale.to_rgba(row.cost)
    ax.plot(
        x, y, shape, markersize=SIZES[shape], color=face, markeredgecolor="black", markeredgewidth=edge, clip_on=False
    )


def number(fig, ax, table: pd.DataFrame) -> None:
    """Each arm's number beside its marker, by a line where it had to go further; lays the figure out once for it."""
    fig.draw_without_rendering()
    in_points = 72 / fig.dpi
    at = ax.transData.transform(table[["x", "y"]].to_numpy()) * in_points
    box = ax.get_window_extent().extents * in_points
    sizes = [(WIDE * len(str(place)), HIGH) for place in table.place]
    for place, marked, centre in zip(table.place, at, placing.places(at, sizes, tuple(box), APART), strict=True):
        far = ((centre - marked) ** 2).sum() ** 0.5 > placing.RADII[1]
        line = {"arrowprops": {"arrowstyle": "-", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}} if far else {}
        x, y = table.loc[table.place == place, ["x", "y"]].iloc[0]
        words = dict(fontsize=NUMBER, ha="center", va="center", zorder=4, bbox=style.ABOVE["bbox"])
        ax.annotate(str(place), (x, y), tuple(centre - marked), textcoords="offset points", **words, **line)


def rows(name: str) -> int:
    """How many rows of the key a name takes."""
    return name.count("\n") + 1


def list_arms(ax, table: pd.DataFrame, names: list[str], scale: ScalarMappable) -> None:
    """The key: number, symbol and name of every arm, with both accuracies."""
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(sum(map(rows, names)) - 0.4, -1.4))
    for x, head in ((0.88, "trained"), (1.0, "new")):
        ax.text(x, -1, head, ha="right", va="center", fontsize=6.5, color="#444444")
    below = 0
    for name, row in zip(names, table.itertuples(), strict=True):
        y, below = below + (rows(name) - 1) / 2, below + rows(name)
        weight = "bold" if row.arm == PIPELINE else "normal"
        words = dict(va="center", fontsize=6.8, fontweight=weight)
        ax.text(0.055, y, str(row.place), ha="right", **words)
        marker(ax, 0.11, y, row, scale)
        ax.text(0.16, y, name, ha="left", linespacing=1.05, **words)
        ax.text(0.88, y, f"{row.x:.1f}", ha="right", **words)
        ax.text(1.0, y, f"{row.y:.1f}", ha="right", **words)


def caption(table: pd.DataFrame) -> str:
    """What is shown, of how many prompts and seeds, and which arms lie right of and above the pipeline."""
    reference = table[table.arm == PIPELINE]
    beyond = ""
    for row in reference.itertuples():
        better = [style.label(arm) for arm in table.arm[(table.x > row.x) & (table.y > row.y)]]
        beyond = f""" Dashed: {style.label(PIPELINE)}; right of it and above it lie, by their estimates alone, whatever
            the intervals: {", ".join(better) or "none"}."""
    unknown = [style.label(arm) for arm in table.arm[table.cost.isna()]]
    blank = f" White: not known ({', '.join(unknown)})." if unknown else ""
    n = {style.benchmark(TRAINED): table.n_x, style.benchmark(UNSEEN): table.n_y}
    counted = ", ".join(f"{label} {style.span(values)}" for label, values in n.items())
    return f"""Every method of the experiment mixtures at once. Horizontal: prompts of which every instruction is
        followed (prompt-level strict, percent, {table.decoding.iloc[0]} decoding) on types of instruction that were
        trained; vertical: on types that no training prompt has. Thin crosses: 95 % interval of each,
        {style.methods(table)}. Numbers lead to the names beside, the most accurate on trained types first.{beyond}
        Colour: response tokens sampled, plus prompt and response tokens in the loss, of every stage after the base,
        mean over seeds; darker costs more.{blank} Number of {style.seeds(table)}. Number of prompts: {counted}."""


if __name__ == "__main__":
    style.main(draw)
