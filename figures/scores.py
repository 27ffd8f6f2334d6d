"""How many prompts does each arm follow, on the kind it was trained for and on kinds it has never seen?"""

from pathlib import Path

from figures import style

WORDS = ("arm", "benchmark", "decoding", "metric", "method")
NUMBERS = ("estimate", "low", "high", "n_seeds", "n_prompts")
WIDEST = 3  # panels in a row
CLEAR = 4  # percent: a number centred further left would touch the axis


def draw(analysis: Path):
    """Dots with intervals: a panel per benchmark, a row per arm, one axis of percent."""
    table = style.read(analysis / "main.csv", WORDS, NUMBERS, metric="prompt_strict")
    decoding = style.first_of(table.decoding, "greedy")
    table = table[table.decoding == decoding]
    benchmarks, arms = style.benchmarks(table), style.in_order(table.arm)
    fig = style.figure(style.TWO_COLUMNS, 0.2 + (0.5 + 0.24 * len(arms)) * -(-len(benchmarks) // WIDEST))
    axes = style.panels(fig, len(benchmarks), WIDEST, sharex=True, sharey=True)
    for ax, benchmark in zip(axes, benchmarks, strict=True):
        rows = table[table.benchmark == benchmark].set_index("arm")
        for y, arm in enumerate(arms):
            if arm not in rows.index:
                continue
            row, colour = rows.loc[arm], style.look(arm).colour
            ax.hlines(y, row.low, row.high, color=colour, linewidth=1.4)
            ax.plot(row.estimate, y, style.look(arm).marker, color=colour)
            ax.annotate(f"{row.estimate:.1f}", (max(row.estimate, CLEAR), y), **style.ABOVE)
        ax.set_title(f"{style.benchmark(benchmark)} (n = {style.span(rows.n_prompts)})")
        ax.set_yticks(range(len(arms)), [style.label(arm) for arm in arms])
        ax.set_ylim(len(arms) - 0.5, -0.7)
        ax.set_xlim(left=0)
        ax.grid(axis="x")
    fig.supxlabel("prompts followed, strict (%)")
    caption = f"""Prompts of which every instruction is followed (prompt-level strict accuracy, percent),
        {decoding} decoding. Marker: mean over prompts and seeds. Line: 95 % interval,
        {style.methods(table)}. Number of {style.seeds(table)}. Number of {style.prompts(table)}."""
    return fig, caption, ["main.csv"]


if __name__ == "__main__":
    style.main(draw)
