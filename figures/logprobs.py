"""Does an arm find the expert's text as likely as its own?"""

from pathlib import Path

from matplotlib.ticker import FuncFormatter, NullLocator

from figures import style
from figures.histograms import BINS, DISTANCES, TITLE, WIDEST, counts, histogram, key

NEEDS = ("headline",)
UNITS = {
    "response": "mean log-probability per token of a response (nats)",
    "token": "log-probability of a token (nats)",
}
DISTANCE = "log-probability per token, own vs expert text, under the arm"  # between the histograms of responses


def draw(results: Path):
    """A block for responses and one for tokens, a panel per arm: own text filled, the expert's outlined."""
    paths = [style.analysis(results) / name for name in ("logprobs.csv", "distances.csv")]
    table = style.read(paths[0], ("arm", "under", "text", "unit"), BINS, under="self")
    distances = style.read(paths[1], ("arm",), DISTANCES, quantity=DISTANCE)
    distance = distances.set_index("arm")
    arms, units = style.in_order(table.arm), [unit for unit in UNITS if unit in set(table.unit)]
    names = {arm: style.wrapped(arm, TITLE) for arm in arms}
    height = 1.1 + 0.11 * (style.lines(names.values()) - 1)
    heights = [height * -(-len(arms) // WIDEST) + {"response": 0.75, "token": 0.4}[unit] for unit in units]
    fig = style.figure(style.TWO_COLUMNS, sum(heights))
    blocks = fig.subfigures(len(units), 1, squeeze=False, height_ratios=heights)[:, 0]
    for block, unit in zip(blocks, units, strict=True):
        of_unit = table[table.unit == unit]
        for ax, arm in zip(style.panels(block, len(arms), WIDEST, sharex=True, sharey=True), arms, strict=True):
            rows = of_unit[of_unit.arm == arm]
            histogram(ax, rows[rows.text == "own"], style.look(arm).colour)
            histogram(ax, rows[rows.text == "expert"], None)
            ax.set_title(names[arm])
            if unit == "response" and arm in distance.index:
                d = distance.loc[arm]
                ax.set_title(f"{names[arm]}\nKS {d.ks:.2f}, W₁ {d.wasserstein:.2f}")
            if unit == "token":  # most tokens are nearly certain: only a log axis shows the others
                ax.set_yscale("log")
                ax.yaxis.set_minor_locator(NullLocator())
                ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        bins = of_unit[of_unit.density > 0]
        ax.set_xlim(bins.bin_left.min(), bins.bin_right.max())
        block.supxlabel(UNITS[unit])
        block.supylabel("density (per nat)")
    key(blocks[0])
    own_text = table[table.text == "own"]
    sizes = "; ".join(f"{unit}s of its own: {counts(own_text[own_text.unit == unit])}" for unit in units)
    caption = f"""Log-probability (natural logarithm) that each arm gives to text. Filled: its own sampled
        responses to the test prompts of trained types. Black outline: the expert's responses to the same
        prompts. Seeds are pooled. KS, W₁: Kolmogorov-Smirnov and Wasserstein distance (nats per token)
        between the two, mean over seeds. The outermost bins hold everything beyond them. Number of
        {style.seeds(distances)}. Number of {sizes}."""
    return fig, caption, paths


if __name__ == "__main__":
    style.main(draw)
