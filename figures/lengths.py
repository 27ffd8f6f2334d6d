"""Are the responses of each arm as long as the expert's?"""

from pathlib import Path

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from figures import style

BINS = ("bin_left", "bin_right", "density", "n")
DISTANCES = ("ks", "wasserstein", "n_seeds")
DISTANCE = "response length (words)"
WIDEST = 5  # panels in a row


def draw(analysis: Path):
    """A panel per arm: its response lengths filled, the expert's as an outline, their distance above."""
    table = style.read(analysis / "lengths.csv", ("arm",), BINS)
    distances = style.read(analysis / "distances.csv", ("arm",), DISTANCES, quantity=DISTANCE)
    wasserstein = distances.set_index("arm").wasserstein
    arms = [arm for arm in style.in_order(table.arm) if arm != "expert"]
    fig = style.figure(style.TWO_COLUMNS, 0.6 + 1.25 * -(-len(arms) // WIDEST))
    for ax, arm in zip(style.panels(fig, len(arms), WIDEST, sharex=True, sharey=True), arms, strict=True):
        histogram(ax, table[table.arm == arm], style.look(arm).colour)
        histogram(ax, table[table.arm == "expert"], None)
        ax.set_title(style.label(arm) + (f"\nW₁ {wasserstein[arm]:.1f} words" if arm in wasserstein else ""))
    key(fig)
    fig.supxlabel("response length (words)")
    fig.supylabel("density (per word)")
    caption = f"""Lengths in words of sampled responses to the test prompts of trained types, pooled over
        seeds. Filled: the arm. Black outline: the expert. W₁: Wasserstein distance between the two, in
        words, mean over seeds. The outermost bins hold everything beyond them. Number of
        {style.seeds(distances)}. Number of responses: {counts(table)}."""
    return fig, caption, ["lengths.csv", "distances.csv"]


def histogram(ax, rows: pd.DataFrame, colour: str | None) -> None:
    """A density on its stored bins: filled in `colour`, or a black outline where that is None."""
    ax.xaxis.set_major_locator(MaxNLocator(3))
    edges = [*rows.bin_left, *rows.bin_right[-1:]]
    if colour:
        ax.stairs(rows.density, edges, fill=True, color=colour, alpha=0.6)
    else:
        ax.stairs(rows.density, edges, color="black", linewidth=0.9)


def key(fig) -> None:
    """The legend of the histograms, above them."""
    handles = [
        Patch(facecolor="#AAAAAA", label="the arm's responses"),
        Line2D([], [], color="black", label="the expert's"),
    ]
    fig.legend(handles=handles, loc="outside upper center", ncols=2)


def counts(rows: pd.DataFrame) -> str:
    """The number of values behind each histogram, as prose."""
    n = rows.groupby("arm").n.max()
    return ", ".join(f"{style.label(arm)} {n[arm]:,}" for arm in style.in_order(n.index))


if __name__ == "__main__":
    style.main(draw)
