"""Lambda as a dual variable: does the distance reach its target, and what lambda does that take?"""

from pathlib import Path

from figures import points, recipes, style
from figures.curves import line

NEEDS = ("constrained",)
(EXPERIMENT,) = NEEDS
PANELS = {"distance_mean": "running distance d", "lam": "λ"}


def draw(results: Path):
    """Two panels over the steps: the running distance with the targets as dashed lines, and lambda below."""
    path = style.analysis(results, EXPERIMENT) / "curves.csv"
    table = style.read(path, ("arm", "quantity"), ("seed", "step", "value"))
    table = points.needed(table[table.quantity.isin(PANELS)], [*table.arm.unique()], path)
    arms = style.in_order(table.arm)
    targets = {arm: recipes.target(chain) for arm, chain in recipes.chains(results, EXPERIMENT).items()}
    labels = [style.wrapped(arm, 44) for arm in arms]
    columns = min(len(arms), style.legend_columns(labels))
    fig = style.figure(style.TWO_COLUMNS, 3.0 + style.legend_height(labels, columns))
    axes = fig.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    for ax, (quantity, title) in zip(axes, PANELS.items(), strict=True):
        for arm in arms:
            line(ax, table[(table.arm == arm) & (table.quantity == quantity)], arm, percent=False)
        ax.set_ylabel(title)
        ax.grid()
    named = {arm: target for arm, target in targets.items() if target is not None and arm in arms}
    highest = axes[0].get_ylim()[1]
    for arm, target in ((arm, target) for arm, target in named.items() if target < highest):
        axes[0].axhline(target, color=style.look(arm).colour, linewidth=0.7, linestyle=(0, (4, 2)))
        axes[0].annotate(f"{style.label(arm)} = {target:g}", (0, target), **AT_THE_START)
    handles = {h.get_label(): h for ax in axes for h in ax.get_lines() if not h.get_label().startswith("_")}
    fig.legend(handles.values(), handles, loc="outside upper center", ncols=columns, handlelength=3.2)
    axes[-1].set_xlabel("optimizer step")
    aims = ", ".join(f"{style.label(arm)} {target:g}" for arm, target in named.items())
    caption = f"""Training with lambda as the dual variable of the constraint d <= ε. Above: the running mean of d, the
        discriminator's score of the expert minus that of the policy; dashed: the targets ({aims}), where in sight.
        Below: lambda; an arm without a target keeps its own. Line: mean over seeds. Band: lowest to highest seed.
        Number of seeds per arm: {style.one_or_each(table.groupby("arm").seed.nunique())}."""
    return fig, caption, [path]


AT_THE_START = {  # where the running mean is still near zero
    "xycoords": ("axes fraction", "data"),
    "xytext": (2, 2),
    "textcoords": "offset points",
    "ha": "left",
    "va": "bottom",
    "fontsize": 6.5,
}


if __name__ == "__main__":
    style.main(draw)
