"""What does the discriminator have to be? A frozen one, a co-trained one, and controls that know nothing."""

from pathlib import Path

from figures import points, style

NEEDS = ("discriminators",)
(EXPERIMENT,) = NEEDS
NAMES = {
    "uniapl": "frozen",
    "d_cotrained": "co-trained",
    "d_random": "random",
    "d_length": "length",
    "chord": "none",
}


def draw(results: Path):
    """A row per discriminator: accuracy on the first two benchmarks, and the AUC at the end."""
    table, path = points.accuracy(results, EXPERIMENT)
    table = points.needed(table, [*NAMES], path)
    auc, curves = points.last_of_curve(results, EXPERIMENT, "probe_auc")
    arms = [arm for arm in NAMES if arm in set(table.arm)]
    labels = [NAMES[arm] for arm in arms]
    benchmarks = style.benchmarks(table)[:2]
    titles = {name: style.title(name, table[table.benchmark == name]) for name in benchmarks}
    height = 0.65 + style.more_than_one_line(titles.values()) + 0.24 * len(arms)
    fig = style.figure(style.TWO_COLUMNS, height)
    axes = style.panels(fig, len(benchmarks) + bool(len(auc)), 3, sharey=True)
    for ax in axes[1 : len(benchmarks)]:
        ax.sharex(axes[0])
    for ax, benchmark in zip(axes, benchmarks, strict=False):
        rows = table[table.benchmark == benchmark]
        points.rows(ax, rows, arms, labels)
        ax.set_title(titles[benchmark])
        ax.set_xlabel("prompts followed, strict (%)")
    axes[0].set_xlim(left=0)  # of all that share it, once each has its intervals
    if len(auc):
        points.rows(axes[-1], auc[auc.arm.isin(arms)], arms, labels, form=".2f", clear=0)
        axes[-1].axvline(0.5, color="black", linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
        axes[-1].set_title("validation prompts")
        axes[-1].set_xlabel("AUC at the end, expert over policy")
    caption = f"""UniAPL's training with five discriminators in the adversarial term: the frozen one (UniAPL); the same,
        trained on with the policy; random scores; the closeness of the response's length to the reference's; none
        (CHORD). {points.counted(table)} AUC: by the frozen discriminator, whatever was trained with; dashed: it
        cannot tell expert from policy; mean and 95 % t interval over seeds. Number of {style.seeds(table)}. Number of
        {style.prompts(table)}."""
    return fig, caption, [path, curves]


if __name__ == "__main__":
    style.main(draw)
