"""What does each method make of a teacher that is often wrong, or that writes in another style?"""

from pathlib import Path

from figures import points, recipes, style
from uniapl.analyse.measures import LENGTH

NEEDS = ("teachers",)
(EXPERIMENT,) = NEEDS
PLACES = {"expert": 0, "noise20": 20, "noise50": 50, "biased": 72}  # on the axis: % of prompts answered wrongly
TICKS = {"expert": "0", "noise20": "20", "noise50": "50", "biased": "other\nstyle"}


def draw(results: Path):
    """Accuracy per benchmark, and the distance to the true expert's lengths, against the teacher; a line per method."""
    taught = {arm: recipes.teacher(chain) for arm, chain in recipes.chains(results, EXPERIMENT).items()}
    x = {arm: PLACES[teacher] for arm, teacher in taught.items() if teacher in PLACES}
    table, path = points.accuracy(results, EXPERIMENT)
    table = points.needed(table, [*x], path)
    length, distances = points.estimates_of(results, EXPERIMENT, "distances", "wasserstein", LENGTH)
    methods = style.in_order(style.method(arm) for arm in set(table.arm))
    panels = {style.benchmark(b): table[table.benchmark == b] for b in style.benchmarks(table)[:2]}
    fig = style.figure(style.TWO_COLUMNS, 2.1)
    axes = style.panels(fig, len(panels) + 1, 3)
    for ax, (title, rows) in zip(axes, {**panels, "W₁ of lengths to the expert (words)": length}.items(), strict=True):
        for place, method in enumerate(methods):
            shift = 3.0 * (place - (len(methods) - 1) / 2)  # side by side, so that intervals stay apart
            look, arms = style.look(method), [arm for arm in x if style.method(arm) == method]
            noisy = {arm: x[arm] for arm in arms if taught[arm] != "biased"}
            points.joined(ax, noisy, rows, shift, color=look.colour, linestyle=look.line)
            points.joined(ax, {arm: x[arm] for arm in arms if arm not in noisy}, rows, shift)
        ax.set_title(style.fold(title if ax is axes[-1] else f"{title}, followed (%)", 38))
        ax.set_ylim(bottom=0)
        ax.set_xticks([*PLACES.values()], [*TICKS.values()])
        ax.axvline(61, color="#DDDDDD", linewidth=0.6)
        ax.grid(axis="y")
    handles = [points.handle(arm) for arm in methods]
    fig.legend(handles=handles, loc="outside upper center", ncols=min(5, len(handles)), handlelength=3.2)
    fig.supxlabel("prompts that the teacher answers wrongly (%), or a teacher that is right, in another style")
    caption = f"""Each method with demonstrations by the expert, by one who answers 20 % or 50 % of the prompts wrongly,
        and by one who follows every instruction in another style. Markers of one teacher stand side by side.
        {points.counted(table)} W₁: Wasserstein distance between the lengths of sampled responses and the expert's
        (the one who is right), in words; mean and 95 % t interval over seeds{points.cut(length)}. Number of
        {style.seeds(table)}. Number of {style.prompts(table)}."""
    return fig, caption, [path, distances]


if __name__ == "__main__":
    style.main(draw)
