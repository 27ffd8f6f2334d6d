"""Does training narrow what a policy writes? Entropy and diversity of its responses, by arm and by lambda."""

from pathlib import Path

import pandas as pd

from figures import points, recipes, style

NEEDS = ("headline", "lambda_sweep")
QUANTITIES = {  # as analyse names them: title, format of a number
    "entropy (nats per token)": ("entropy (nats/token)", ".2f"),
    "distinct bigrams (%)": ("distinct bigrams (%)", ".1f"),
    "distinct responses (%)": ("distinct responses (%)", ".1f"),
}
SWEEP = "lambda_sweep"
TOP = 100  # percent: where an interval of a share is cut


def draw(results: Path):
    """A column per quantity; above the headline's arms, below those of the sweep of lambda."""
    lam = {arm: recipes.lam(chain) for arm, chain in recipes.chains(results, SWEEP).items()}
    paths = [style.analysis(results, name) / "diversity.csv" for name in NEEDS]
    tables = [style.read(path, ("arm", "quantity"), (*points.FOUND, "n_responses")) for path in paths]
    swept = sorted((arm for arm in set(tables[1].arm) if lam.get(arm) is not None), key=lam.get)
    arms = [[arm for arm in style.in_order(tables[0].arm) if arm != "expert"], swept]
    labels = [list(map(style.wrapped, arms[0])), [name(arm, lam[arm]) for arm in swept]]
    tables[1] = points.needed(tables[1], [*swept, "expert"], paths[1])
    heights = [len(names) * style.row_height(names, 0.24) / 0.24 + 0.2 for names in labels]
    fig = style.figure(style.TWO_COLUMNS, 0.75 + 0.24 * sum(heights))
    grid = fig.subplots(2, len(QUANTITIES), sharex="col", sharey="row", height_ratios=heights)
    for axes, table, members, names in zip(grid, tables, arms, labels, strict=True):
        for ax, (quantity, (_, form)) in zip(axes, QUANTITIES.items(), strict=True):
            rows = table[table.quantity == quantity].copy()
            rows["high"] = rows.high.clip(upper=TOP)
            points.rows(ax, rows[rows.arm != "expert"], members, names, form, clear=0)
            for _, row in rows[rows.arm == "expert"].iterrows():
                look = style.look("expert")
                ax.axvline(row.estimate, color=look.colour, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1.4)
    for ax, (title, _) in zip(grid[0], QUANTITIES.values(), strict=True):
        ax.set_title(title)
    grid[0][0].set_ylabel("headline")
    grid[1][0].set_ylabel("λ, all else equal")
    fig.align_ylabels(grid[:, 0])
    above, below = (style.one_or_each(t[t.arm != "expert"].groupby("arm").n_seeds.max()) for t in tables)
    caption = f"""What sampled responses to the test prompts of trained types vary in. Entropy: mean of -log p over
        their tokens. Distinct bigrams: of all word bigrams in these responses; distinct responses: of all responses.
        Both depend on how many and how long they are. Dashed: the expert's demonstrations, which have no entropy.
        Marker: mean over seeds; line: 95 % t interval over seeds, cut at 100 %; none where an arm has one seed.
        Number of seeds per arm: {above} above, {below} below. Number of responses per seed:
        {style.span(pd.concat(tables).n_responses)}."""
    return fig, caption, paths


def name(arm: str, lam: float) -> str:
    """An arm of the sweep with its lambda."""
    label = style.label(arm)
    return label if label.startswith("λ") else style.fold(f"λ {lam:g} ({label})", 26)


if __name__ == "__main__":
    style.main(draw)
