"""What the two figures of distributions share: stored bins, drawn over the expert's outline."""

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from figures import style

BINS = ("bin_left", "bin_right", "density", "n")
DISTANCES = ("ks", "wasserstein", "n_seeds")
WIDEST = 5  # panels in a row
TITLE = 20  # letters of a panel's title on a line


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
