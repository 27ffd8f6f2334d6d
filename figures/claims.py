"""Every claim of NEEDS on one page: what was measured, the margin that it was held against, and the verdict.

Those of `mixtures` have a figure of their own.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures import style
from uniapl.analyse.claims import CONTRADICTED, SUPPORTED, UNDECIDED, UNITS

NEEDS = ("headline", "staged", "unified", "reward_shaping", "lambda_sweep", "controls", "discriminators", "constrained")
WORDS = ("id", "sentence", "quantity", "direction", "verdict", "unadjusted")
NUMBERS = ("margin", "estimate", "low", "high", "seed_low", "seed_high", "detectable", "p_holm", "n_seeds")
ALPHA = 0.05
AXES = {  # by unit: what the horizontal axis is
    "points": "points, of prompts followed or of distinct bigrams",
    "words": "words, distance W₁ between the lengths of responses and of the expert's",
    "": "AUC, or a difference between two",
    "scores": "running distance d at the end, the expert's score minus the policy's",
    "nats per token": "entropy, nats per token",
}
CLAIMED = "#ECECEC"
OUTLINED = {"markersize": 5.5, "markeredgecolor": "white", "markeredgewidth": 0.5}
WIDTH = 58  # letters of a claim on a line


class Mark(NamedTuple):
    """How a verdict is drawn, in colours that no arm has."""

    colour: str
    marker: str


# Tol's high-contrast blue and red, which stay apart without colour vision and in grey, and a grey between them.
MARKS = {
    SUPPORTED: Mark("#004488", "o"),
    UNDECIDED: Mark("#777777", "D"),
    CONTRADICTED: Mark("#BB5566", "X"),
}


def draw(results: Path):
    """A panel per unit, a row per claim: sentence, margin, intervals, verdict."""
    paths = [style.analysis(results, name) / "claims.csv" for name in NEEDS]
    table = pd.concat([style.read(path, WORDS, NUMBERS) for path in paths], ignore_index=True)
    table = table[table.verdict.isin(MARKS)]  # not those that were withdrawn
    table["unit"] = table.quantity.map(UNITS)
    panels = {
        unit: table[table.unit == unit] for unit in dict.fromkeys([*AXES, *table.unit]) if unit in set(table.unit)
    }
    heights = [len(rows) * max(1, style.lines(map(label, rows.itertuples())) / 2) for rows in panels.values()]
    fig = style.figure(style.TWO_COLUMNS, 0.35 + 0.36 * len(heights) + 0.255 * sum(heights))
    grid = fig.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for ax, (unit, rows) in zip(grid, panels.items(), strict=True):
        panel(ax, rows)
        ax.set_xlabel(AXES.get(unit, unit), labelpad=1)
    fig.legend(handles=key(), loc="outside upper center", ncols=5, columnspacing=1.2, handlelength=1.6)
    verdicts = ", ".join(f"{n} {v}" for v in MARKS if (n := (table.verdict == v).sum()))
    caption = f"""All {len(table)} claims of the experiments {", ".join(NEEDS)}, as these state them: {verdicts}.
        Marker: the estimate, a difference between two arms or one arm's value, in the unit of its panel. Thick
        line: 95 % interval, for prompts followed the hierarchical bootstrap over seeds and prompts,
        otherwise the t interval over seeds. Thin line below: 95 % t interval over seeds, for prompts
        followed alone. Black: the margin; grey: the side of it that is claimed. A verdict needs every
        interval on one side of the margin, and p below {ALPHA} after Holm's adjustment for the claims
        of its family; a claim without an interval is not decided. In brackets: the difference from the
        margin that these data would detect with 80 % power. †: not decided because of the adjustment
        alone. Number of seeds per arm: {style.span(table.n_seeds)}."""
    return fig, caption, paths


def panel(ax, rows: pd.DataFrame) -> None:
    """The claims of one unit, from above, on an axis that holds every interval and margin."""
    for y, row in enumerate(rows.itertuples()):
        mark = MARKS[row.verdict]
        ax.hlines(y, row.low, row.high, color=mark.colour, linewidth=1.8)
        ax.hlines(y + 0.24, row.seed_low, row.seed_high, color="#444444", linewidth=0.7)
        ax.plot(row.estimate, y, mark.marker, color=mark.colour, **OUTLINED)
        ax.vlines(row.margin, y - 0.5, y + 0.5, color="black", linewidth=0.7, zorder=1.2)
        ax.annotate(words(row), (1.01, y), xycoords=("axes fraction", "data"), va="center", color=mark.colour)
    low, high = ax.get_xlim()
    for y, row in enumerate(rows.itertuples()):
        sides = {"above": (row.margin, high), "below": (low, row.margin), "within": (-row.margin, row.margin)}
        ends = sides[row.direction]
        ax.fill_betweenx([y - 0.46, y + 0.46], *ends, color=CLAIMED, linewidth=0, zorder=0.5)
    ax.set_xlim(low, high)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), map(label, rows.itertuples()), fontsize=6.5, linespacing=0.95)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")


def label(row) -> str:
    """What stands beside a claim, in lines."""
    return style.fold(f"{row.id}: {row.sentence}", WIDTH)


def words(row) -> str:
    """The verdict; of a claim that is not decided the difference that would be, and † where the adjustment decides."""
    if row.verdict != UNDECIDED:
        return row.verdict
    dagger = "" if row.unadjusted == row.verdict else " †"
    return f"{row.verdict} ({row.detectable:.2g}){dagger}" if pd.notna(row.detectable) else row.verdict


def key() -> list:
    """The legend: what shades, lines and markers mean."""
    verdicts = [
        Line2D([], [], color=m.colour, marker=m.marker, linewidth=1.8, label=v, **OUTLINED) for v, m in MARKS.items()
    ]
    seeds = Line2D([], [], color="#444444", linewidth=0.7, label="seeds only")
    return [*verdicts, seeds, Patch(color=CLAIMED, label="claimed side of the margin")]


if __name__ == "__main__":
    style.main(draw)
