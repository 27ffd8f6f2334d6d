"""What does lambda, the weight of the adversarial term, change?"""

from pathlib import Path

from figures import points, recipes, style

NEEDS = ("lambda_sweep",)
(EXPERIMENT,) = NEEDS


AUC = """AUC (expert over policy, by the frozen discriminator, on validation prompts; dashed: it cannot tell them
    apart), entropy"""


def draw(results: Path):
    """Four panels against lambda: accuracy, AUC, entropy and diversity, each a point per arm with its interval."""
    of_arms = {arm: recipes.lam(chain) for arm, chain in recipes.chains(results, EXPERIMENT).items()}
    x = {arm: lam for arm, lam in of_arms.items() if lam is not None}
    scores, path = points.accuracy(results, EXPERIMENT)
    scores = points.needed(scores[scores.benchmark == style.benchmarks(scores)[0]], [*x], path)
    where = style.benchmark(scores.benchmark.iloc[0])
    auc, curves = points.last_of_curve(results, EXPERIMENT, "probe_auc")
    entropy, diversity = (
        points.estimates_of(results, EXPERIMENT, "diversity", "estimate", quantity)
        for quantity in ("entropy (nats per token)", "distinct bigrams (%)")
    )
    shown = {
        f"{where}, followed (%)": scores,
        "AUC at the end": auc,
        "entropy (nats/token)": entropy[0],
        "distinct bigrams (%)": diversity[0],
    }
    shown = {title: table for title, table in shown.items() if len(table)}  # no AUC without a probe
    fig = style.figure(style.TWO_COLUMNS, 1.75)
    axes = style.panels(fig, len(shown), 4)
    for ax, (title, table) in zip(axes, shown.items(), strict=True):
        points.joined(ax, x, table, color="#BBBBBB")
        ax.set_title(style.fold(title, 28))
        ax.grid(axis="y")
        axis(ax, sorted(set(x.values())))
    if len(auc):
        axes[1].axhline(0.5, color="black", linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
    fig.supxlabel("λ, the weight of the adversarial term (0, then a logarithmic axis)")
    arms = ", ".join(f"{style.label(arm)} {x[arm]:g}" for arm in sorted(x, key=x.get) if not arm.startswith("lambda"))
    caption = f"""Lambda of each arm: {arms}; the others are named by theirs; all else is equal.
        {points.counted(scores)} {AUC if len(auc) else "Entropy"} (mean of -log p of the tokens of sampled responses)
        and distinct word bigrams (of all in these responses): mean and 95 % t interval over seeds.
        Number of {style.seeds(scores)}. Number of {style.prompts(scores)}."""
    return fig, caption, [path, curves, diversity[1]]


def axis(ax, values: list[float]) -> None:
    """A logarithmic axis that has room for 0, with a tick at each value."""
    positive = [value for value in values if value > 0] or [1.0]
    ax.set_xscale("symlog", linthresh=positive[0], linscale=0.6)
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.minorticks_off()
    ax.set_xlim(-0.35 * positive[0], 1.6 * positive[-1])


if __name__ == "__main__":
    style.main(draw)
