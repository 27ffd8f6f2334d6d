"""What changes during training: the pass rate, and the distances from the base model and from the expert."""

from pathlib import Path

import pandas as pd

from figures import style
from uniapl.errors import UserError

NEEDS = ("headline",)
QUANTITIES = {
    "probe_reward": "prompts followed (%)",
    "probe_kl": "KL to base (nats/token)",
    "probe_entropy": "entropy (nats/token)",
    "probe_score": "discriminator score",
    "probe_auc": "AUC, expert over policy",
    "probe_length": "response length (tokens)",
}
DASHED = " Dashed at 0.5: the discriminator cannot tell expert from policy."


def draw(results: Path):
    """One panel per probed quantity, one line per arm, a band from the lowest to the highest seed."""
    path = style.analysis(results) / "curves.csv"
    table = style.read(path, ("arm", "quantity"), ("seed", "step", "value"))
    table = table[table.quantity.isin(QUANTITIES)]
    if table.empty:
        raise UserError(f"{path}: no rows with quantity {', '.join(QUANTITIES)}")
    table.loc[table.quantity == "probe_reward", "value"] *= 100
    quantities = [q for q in QUANTITIES if q in set(table.quantity)]
    arms = style.in_order(table.arm)
    fig = style.figure(style.TWO_COLUMNS, 0.2 + 0.2 * -(-len(arms) // 5) + 1.45 * -(-len(quantities) // 3))
    axes = style.panels(fig, len(quantities), 3, sharex=True)
    for ax, quantity in zip(axes, quantities, strict=True):
        for arm in arms:
            line(ax, table[(table.arm == arm) & (table.quantity == quantity)], arm)
        ax.set_title(QUANTITIES[quantity])
        ax.grid()
        if quantity == "probe_auc":
            ax.axhline(0.5, color="black", linewidth=0.6, linestyle=(0, (4, 2)))
    handles = {h.get_label(): h for ax in axes for h in ax.get_lines() if not h.get_label().startswith("_")}
    fig.legend(handles.values(), handles, loc="outside upper center", ncols=min(5, len(handles)), handlelength=3.2)
    fig.supxlabel("progress of the arm's own training (% of its optimizer steps)")
    steps = "; ".join(f"{style.label(a)} {style.span(last_steps(table[table.arm == a]))}" for a in arms)
    n_seeds = style.one_or_each(table.groupby("arm").seed.nunique())
    caption = f"""Measured during training on the same validation prompts for every arm, one sampled
        response each; KL and entropy are estimated on the sampled tokens. Line: mean over seeds. Band:
        lowest to highest seed. Number of seeds per arm: {n_seeds}. Optimizer steps, 100 % of the horizontal
        axis: {steps}; an arm that continues another begins where that one
        ended.{DASHED * ("probe_auc" in quantities)}"""
    return fig, caption, [path]


def last_steps(rows: pd.DataFrame) -> pd.Series:
    """The last probed step of each seed."""
    return rows.groupby("seed").step.max()


def line(ax, rows: pd.DataFrame, arm: str, percent: bool = True, place: int = 0, band: float = 0.2) -> None:
    """Mean and range over seeds, at the steps at which every seed was measured, in percent of the last or as is.

    `place` moves the markers along the line, so that those of lines that coincide do not; `band` is the band's opacity.
    """
    if rows.empty:
        return
    look, wide = style.look(arm), rows.pivot_table(index="step", columns="seed", values="value").dropna()
    progress = wide.index * (100 / max(1, last_steps(rows).max()) if percent else 1)
    ax.fill_between(progress, wide.min(axis=1), wide.max(axis=1), color=look.colour, alpha=band, linewidth=0)
    ax.plot(
        progress,
        wide.mean(axis=1),
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markersize=3,
        markerfacecolor="white" if style.label(arm).count("A-") else look.colour,
        markevery=(min(place, len(wide) - 1), max(1, len(wide) // 5)),
        label=style.label(arm),
    )


if __name__ == "__main__":
    style.main(draw)
