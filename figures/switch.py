"""When should a pipeline switch from demonstrations to rewards, and does any point reach the single stage?"""

from pathlib import Path

from matplotlib.lines import Line2D

from figures import points, recipes, style

NEEDS = ("switch",)
(EXPERIMENT,) = NEEDS


def draw(results: Path):
    """Accuracy against the share of steps that are SFT steps, a panel per benchmark; other arms are lines across."""
    of_arms = {arm: recipes.sft_share(chain) for arm, chain in recipes.chains(results, EXPERIMENT).items()}
    first_stages = {arm for arm, share in of_arms.items() if share == 100 and arm != "sft"}
    x = {arm: share for arm, share in of_arms.items() if share is not None and arm not in first_stages}
    table, path = points.accuracy(results, EXPERIMENT)
    table = points.needed(table[~table.arm.isin(first_stages)], ["base", *x], path)
    across = [arm for arm in style.in_order(table.arm) if arm not in x]
    benchmarks = style.benchmarks(table)
    fig = style.figure(style.TWO_COLUMNS, 2.1)
    for ax, benchmark in zip(style.panels(fig, len(benchmarks), 3), benchmarks, strict=True):
        rows = table[table.benchmark == benchmark]
        points.joined(ax, x, rows, marker="o", color="#BBBBBB")
        for arm in across:
            for _, row in rows[rows.arm == arm].iterrows():
                points.level_line(ax, row, arm)
        ax.set_title(style.title(benchmark, rows))
        ax.set_ylim(bottom=0)
        ax.set_xticks([0, 25, 50, 75, 100])
        ax.grid(axis="y")
    handles = [points.handle(arm, marker=False) for arm in across]
    ends = {"grpo": style.label("grpo"), "switch_50": "SFT, then GRPO", "sft": style.label("sft")}
    handles += [
        Line2D([], [], color=style.look(arm).colour, marker="o", linewidth=0, label=name) for arm, name in ends.items()
    ]
    fig.legend(handles=handles, loc="outside upper center", ncols=min(5, len(handles)))
    fig.supxlabel("share of the optimizer steps that are SFT steps (%); the rest are GRPO steps")
    fig.supylabel("prompts followed (%)")
    caption = f"""Accuracy of pipelines by the share of their optimizer steps that are SFT steps; at 0 GRPO alone, at
        100 SFT alone, each with its own number of steps; the others have equal sums. Lines across: arms without such a
        share. {points.counted(table)} Number of {style.seeds(table)}. Number of {style.prompts(table)}."""
    return fig, caption, [path]


if __name__ == "__main__":
    style.main(draw)
