"""How do all the arms train? The curves of every arm of the default experiments, one family per row."""

from pathlib import Path

import pandas as pd

from figures import style
from figures.curves import AUCS, DASHED, PROBED, REWARDS, ROLLOUTS, last_steps, line, quantities_of

NEEDS = ("staged", "unified", "reward_shaping")
QUANTITIES = {
    "probe_reward": "prompts\nfollowed (%)",
    "probe_entropy": "entropy\n(nats/token)",
    "probe_kl": "KL to base\n(nats/token)",
    "probe_auc": "AUC, expert\nover policy",
    "probe_length": "length\n(tokens)",
}
FAMILIES = ("demonstrations", "rewards", "two stages", "one stage")


def family(arm: str) -> str:
    """What an arm learns from, and in how many stages."""
    if "_then_" in arm or arm.startswith("switch_"):
        return "two stages"
    first = arm.removeprefix("a_").split("_")[0]
    return {"sft": "demonstrations", "grpo": "rewards"}.get(first, "one stage")


def draw(results: Path):
    """A row per family, a column per probed quantity; behind the arms of a row the others in grey."""
    paths = [style.analysis(results, name) / "curves.csv" for name in NEEDS]
    tables = [style.read(path, ("arm", "quantity"), ("seed", "step", "value")) for path in paths]
    table = pd.concat(tables).drop_duplicates(["arm", "seed", "step", "quantity"])
    quantities = quantities_of(table, paths[0], QUANTITIES)
    table = table[table.quantity.isin(quantities)]
    table.loc[table.quantity.isin(REWARDS), "value"] *= 100
    arms, curves = style.in_order(table.arm), dict(list(table.groupby(["arm", "quantity"])))
    means = {cell: mean(curve) for cell, curve in curves.items()}
    rows = [name for name in FAMILIES if name in map(family, arms)]
    names = {arm: style.wrapped(arm, 22) for arm in arms}
    heights = [legend_or_panel([names[arm] for arm in arms if family(arm) == row]) for row in rows]
    fig = style.figure(style.TWO_COLUMNS, 0.5 + sum(heights))
    widths = [*(1 for _ in quantities), 1.3]
    ratios = {"width_ratios": widths, "height_ratios": heights}
    grid = fig.subplots(len(rows), len(widths), squeeze=False, sharex="col", sharey="col", **ratios)
    for ax, quantity in zip(grid[0], quantities, strict=False):
        ax.set_title(quantities[quantity])
    for axes, name in zip(grid, rows, strict=True):
        members = [arm for arm in arms if family(arm) == name]
        for ax, quantity in zip(axes, quantities, strict=False):
            for arm in (arm for arm in arms if (arm, quantity) in curves):
                if arm in members:
                    line(ax, curves[arm, quantity], arm, place=members.index(arm), band=0.12)
                else:
                    ax.plot(*means[arm, quantity], color="#C4C4C4", linewidth=0.6, zorder=1)
            if quantity in AUCS:
                ax.axhline(0.5, color="black", linewidth=0.6, linestyle=(0, (4, 2)))
            ax.grid()
            ax.set_xticks([0, 50, 100])
        axes[0].set_ylabel(name)
        axes[-1].set_axis_off()
        found = {h.get_label(): h for ax in axes for h in ax.get_lines() if not h.get_label().startswith("_")}
        shown = {names[arm]: found[label] for arm in members if (label := style.wrapped(arm, 44)) in found}
        axes[-1].legend(shown.values(), shown, loc="center left", bbox_to_anchor=(-0.15, 0.5), handlelength=2.6)
    fig.supxlabel("progress of the arm's own training (% of its optimizer steps)")
    steps = "; ".join(f"{style.label(a)} {style.span(last_steps(table[table.arm == a]))}" for a in arms)
    n_seeds = style.one_or_each(table.groupby("arm").seed.nunique())
    caption = f"""{PROBED if QUANTITIES.keys() & quantities.keys() else ROLLOUTS} Rows: arms that learn from
        demonstrations, from rewards, from one after the other, and from both at once; the other rows' arms in grey.
        A-, open markers: with the adversarial term. Line: mean over seeds. Band: lowest to highest seed. Number of
        seeds per arm: {n_seeds}. Optimizer steps, 100 % of the horizontal axis: {steps}; an arm that continues another
        begins where
        that one ended.{DASHED * bool(AUCS & quantities.keys())}"""
    return fig, caption, paths


def legend_or_panel(labels: list[str]) -> float:
    """Inches of a row of panels, beside which the legend with these labels has room."""
    return max(1.25, 0.2 + style.row_height(labels, 0.17) * len(labels))


def mean(rows: pd.DataFrame) -> tuple[pd.Index, pd.Series]:
    """A curve's progress in percent and its mean over seeds, at the steps at which every seed was measured."""
    wide = rows.pivot_table(index="step", columns="seed", values="value").dropna()
    return 100 * wide.index / max(1, last_steps(rows).max()), wide.mean(axis=1)


if __name__ == "__main__":
    style.main(draw)
