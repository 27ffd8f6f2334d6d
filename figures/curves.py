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
REWARDS, AUCS = {"probe_reward", "reward"}, {"probe_auc", "auc"}
LOGGED = {  # what trainings log of their own rollouts: for a set whose trainings had no probe (paper_4b: sharded)
    "reward": "rollouts that follow (%)",
    "distance": "expert's minus policy's score",
    "auc": "AUC, expert over policy",
}
PROBED = """Measured during training on the same validation prompts for every arm, one sampled response each; KL and
    entropy are estimated on the sampled tokens."""
ROLLOUTS = """Logged by each training of its own rollouts, at every fifth step: these trainings had no probe, so that an
    arm without rollouts, or without a discriminator, has no line."""
DASHED = " Dashed at 0.5: the discriminator cannot tell expert from policy."


def quantities_of(table: pd.DataFrame, path: Path, probed: dict[str, str]) -> dict[str, str]:
    """Of the probed quantities those that the table has; where it has none, those of LOGGED. UserError for neither."""
    there = set(table.quantity)
    for named in (probed, LOGGED):
        if found := {quantity: title for quantity, title in named.items() if quantity in there}:
            return found
    raise UserError(f"{path}: no rows with quantity {', '.join((*probed, *LOGGED))}")


def draw(results: Path):
    """One panel per probed quantity, one line per arm, a band from the lowest to the highest seed."""
    path = style.analysis(results) / "curves.csv"
    table = style.read(path, ("arm", "quantity"), ("seed", "step", "value"))
    quantities = quantities_of(table, path, QUANTITIES)
    table = table[table.quantity.isin(quantities)]
    table.loc[table.quantity.isin(REWARDS), "value"] *= 100
    arms = style.in_order(table.arm)
    labels = [style.wrapped(arm, 44) for arm in arms]
    columns = style.legend_columns(labels)
    legend = style.legend_height(labels, columns)
    fig = style.figure(style.TWO_COLUMNS, 0.2 + legend + 1.45 * -(-len(quantities) // 3))
    axes = style.panels(fig, len(quantities), 3, sharex=True)
    for ax, quantity in zip(axes, quantities, strict=True):
        for arm in arms:
            line(ax, table[(table.arm == arm) & (table.quantity == quantity)], arm)
        ax.set_title(quantities[quantity])
        ax.grid()
        if quantity in AUCS:
            ax.axhline(0.5, color="black", linewidth=0.6, linestyle=(0, (4, 2)))
    handles = {h.get_label(): h for ax in axes for h in ax.get_lines() if not h.get_label().startswith("_")}
    fig.legend(
        handles.values(), handles, loc="outside upper center", ncols=min(columns, len(handles)), handlelength=3.2
    )
    fig.supxlabel("progress of the arm's own training (% of its optimizer steps)")
    steps = "; ".join(f"{style.label(a)} {style.span(last_steps(table[table.arm == a]))}" for a in arms)
    n_seeds = style.one_or_each(table.groupby("arm").seed.nunique())
    caption = f"""{PROBED if QUANTITIES.keys() & quantities.keys() else ROLLOUTS} Line: mean over seeds. Band:
        lowest to highest seed. Number of seeds per arm: {n_seeds}. Optimizer steps, 100 % of the horizontal
        axis: {steps}; an arm that continues another begins where that one
        ended.{DASHED * bool(AUCS & quantities.keys())}"""
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
        label=style.wrapped(arm, 44),
    )


if __name__ == "__main__":
    style.main(draw)
