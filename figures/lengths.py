"""Are the responses of each arm as long as the expert's?"""

from pathlib import Path

from figures import style
from figures.histograms import BINS, DISTANCES, TITLE, WIDEST, counts, histogram, key

NEEDS = ("headline",)
DISTANCE = "response length (words)"


def draw(results: Path):
    """A panel per arm: its response lengths filled, the expert's as an outline, their distance above."""
    paths = [style.analysis(results) / name for name in ("lengths.csv", "distances.csv")]
    table = style.read(paths[0], ("arm",), BINS)
    distances = style.read(paths[1], ("arm",), DISTANCES, quantity=DISTANCE)
    wasserstein = distances.set_index("arm").wasserstein
    arms = [arm for arm in style.in_order(table.arm) if arm != "expert"]
    names = {arm: style.wrapped(arm, TITLE) for arm in arms}
    height = 1.25 + 0.11 * (style.lines(names.values()) - 1)
    fig = style.figure(style.TWO_COLUMNS, 0.6 + height * -(-len(arms) // WIDEST))
    for ax, arm in zip(style.panels(fig, len(arms), WIDEST, sharex=True, sharey=True), arms, strict=True):
        histogram(ax, table[table.arm == arm], style.look(arm).colour)
        histogram(ax, table[table.arm == "expert"], None)
        ax.set_title(names[arm] + (f"\nW₁ {wasserstein[arm]:.1f} words" if arm in wasserstein else ""))
    key(fig)
    fig.supxlabel("response length (words)")
    fig.supylabel("density (per word)")
    caption = f"""Lengths in words of sampled responses to the test prompts of trained types, pooled over
        seeds. Filled: the arm. Black outline: the expert. W₁: Wasserstein distance between the two, in
        words, mean over seeds. The outermost bins hold everything beyond them. Number of
        {style.seeds(distances)}. Number of responses: {counts(table)}."""
    return fig, caption, paths


if __name__ == "__main__":
    style.main(draw)
