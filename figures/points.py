"""What the figures of points with intervals share: readers of one value per arm, and how to draw them."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.lines import Line2D

from figures import style
from uniapl.errors import UserError

FOUND = ["estimate", "low", "high", "n_seeds"]
CLEAR = 4  # percent: a number centred further left would touch the axis


def accuracy(results: Path, experiment: str) -> tuple[pd.DataFrame, Path]:
    """Prompt-level strict accuracy (%), greedy where there is greedy: arm, benchmark, FOUND, n_prompts, method."""
    path = style.analysis(results, experiment) / "main.csv"
    words = ("arm", "benchmark", "decoding", "metric", "method")
    table = style.read(path, words, (*FOUND, "n_prompts"), metric="prompt_strict")
    return table[table.decoding == style.first_of(table.decoding, "greedy")], path


def counted(table: pd.DataFrame) -> str:
    """What `accuracy` returns, as prose for a caption."""
    return f"""Accuracy: prompts of which every instruction is followed (prompt-level strict, percent),
        {table.decoding.iloc[0]} decoding; line: 95 % interval, {style.methods(table)}{cut(table)}."""


def cut(table: pd.DataFrame) -> str:
    """What a caption says of intervals that reach below 0, where the axis of a share or a distance begins."""
    return ", cut at 0" if (table.low < 0).any() else ""


def last_of_curve(results: Path, experiment: str, quantity: str) -> tuple[pd.DataFrame, Path]:
    """The last value of a curve in each seed: arm, FOUND; no rows where no training measured it, as without a probe.

    The interval is the 95 % t interval over seeds.
    """
    from uniapl import stats  # loads SciPy, a second that most figures can do without

    path = style.analysis(results, experiment) / "curves.csv"
    if quantity not in set(style.read(path, ("quantity",), ()).quantity):
        return pd.DataFrame(columns=["arm", *FOUND]).astype(dict.fromkeys(FOUND, float)), path
    table = style.read(path, ("arm", "quantity"), ("seed", "step", "value"), quantity=quantity)
    ends = table.sort_values("step").groupby(["arm", "seed"], as_index=False).last()
    rows = []
    for arm, values in ends.groupby("arm").value:
        low, high = stats.t_interval(values) or (None, None)
        rows.append((arm, values.mean(), low, high, len(values)))
    return pd.DataFrame(rows, columns=["arm", *FOUND]).astype(dict.fromkeys(FOUND, float)), path


def estimates_of(results: Path, experiment: str, name: str, estimate: str, quantity: str) -> tuple[pd.DataFrame, Path]:
    """One quantity of <name>.csv, whose column `estimate` holds it, without the expert: arm, FOUND."""
    path = style.analysis(results, experiment) / f"{name}.csv"
    table = style.read(path, ("arm", "quantity"), (estimate, *FOUND[1:]), quantity=quantity)
    table = table[table.arm != "expert"]
    return table.assign(estimate=table[estimate])[["arm", *FOUND]], path


def rows(ax, table: pd.DataFrame, arms: list[str], labels: list[str], form: str = ".1f", clear: float = CLEAR) -> None:
    """A row per arm: marker, interval and, not left of `clear`, the number; an arm without a value has an empty row."""
    table = table.set_index("arm")
    for y, arm in enumerate(arms):
        if arm in table.index:
            row, look = table.loc[arm], style.look(arm)
            ax.hlines(y, row.low, row.high, color=look.colour, linewidth=1.4)
            ax.plot(row.estimate, y, look.marker, color=look.colour, clip_on=False)
            ax.annotate(format(row.estimate, form), (max(row.estimate, clear), y), **style.ABOVE)
    ax.set_yticks(range(len(arms)), labels)
    ax.set_ylim(len(arms) - 0.5, -0.7)
    ax.grid(axis="x")


def joined(ax, x: Mapping[str, float], table: pd.DataFrame, shift: float = 0.0, marker: str = "", **line) -> None:
    """Marker and interval of each arm at its `x`, in its look; with keywords, a line of that kind joins them.

    `marker`: one for all, where the axis alone says which arm it is.
    """
    table = table[table.arm.isin(x)]  # first: a frame without rows would take the index of what it is given
    table = table.assign(x=table.arm.map(x).astype(float) + shift).sort_values("x")
    if line:
        ax.plot(table.x, table.estimate, **{"linewidth": 0.9, "zorder": 1.8} | line)
    for row in table.itertuples():
        look = style.look(row.arm)
        ax.vlines(row.x, row.low, row.high, color=look.colour, linewidth=1.2)
        ax.plot(row.x, row.estimate, marker or look.marker, color=look.colour, clip_on=False)


def level_line(ax, row: pd.Series, arm: str) -> None:
    """An arm that has no place on the axis: a line across it."""
    look = style.look(arm)
    ax.axhline(row.estimate, color=look.colour, linestyle=look.line, linewidth=0.9, zorder=1.4)


def handle(arm: str, marker: bool = True) -> Line2D:
    """The legend's symbol of an arm."""
    look = style.look(arm)
    return Line2D(
        [], [], color=look.colour, linestyle=look.line, marker=look.marker if marker else "", label=style.wrapped(arm)
    )


def needed(frame: pd.DataFrame, arms: list[str], path: Path) -> pd.DataFrame:
    """The rows of these arms. Raises UserError where there is none."""
    rows = frame[frame.arm.isin(arms)]
    if rows.empty:
        raise UserError(f"{path}: no rows of {', '.join(arms)}")
    return rows
