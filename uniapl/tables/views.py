"""What the .md and .tex of an experiment's tables show: one function per table, from the rounded rows to a View."""

from collections.abc import Callable

import pandas as pd

from uniapl.analyse.claims import UNDECIDED, WITHDRAWN
from uniapl.config.names import BENCHMARKS
from uniapl.tables.captions import (
    ALPHA,
    TAGS,
    UNMEASURED,
    benchmark_labels,
    interval,
    methods,
    predicted,
    prompts,
    seeds,
    span,
    with_source,
)
from uniapl.tables.columns import MISSING
from uniapl.tables.form import View
from uniapl.tables.summaries import view_aggregate, view_nearer, view_summary, view_transfer, view_type_comparisons


def view_main(text: pd.DataFrame) -> View:
    """One row per arm: prompt-level strict accuracy, greedy on each benchmark and, where answers were sampled, on the
    first, and on the first the difference to each comparator that the table has."""
    strict = text[text.metric == "prompt_strict"]
    greedy, sampled = (strict[strict.decoding == decoding] for decoding in ("greedy", "sampled"))
    labels, rows = benchmark_labels(greedy), []
    first = next(iter(labels), None)
    sampled = sampled[sampled.benchmark == first]
    prefix = "prompt_strict minus "
    minus = text[text.metric.str.startswith(prefix) & (text.benchmark == first)]
    differences = list(dict.fromkeys(minus.metric))
    for arm, of_arm in greedy.groupby("arm", sort=False):
        accuracies = {row.benchmark: interval(row, "estimate") for _, row in of_arm.iterrows()}
        at_one = [interval(row, "estimate") for _, row in sampled[sampled.arm == arm].iterrows()] or [""]
        against = {row.metric: interval(row, "estimate") for _, row in minus[minus.arm == arm].iterrows()}
        cells = [
            *(accuracies.get(b, "") for b in labels),
            *(at_one if len(sampled) else ()),
            *(against.get(metric, "") for metric in differences),
        ]
        rows.append([arm, *cells, span(of_arm.n_seeds)])
    caption = (
        "Prompts of which every instruction is followed (prompt-level strict accuracy), in %, with 95 % interval; "
        f"greedy decoding, and sampled (miniature: temperature 1; paper's scale: Qwen3's settings) where it says so. "
        f"{prompts(greedy)}; seeds per arm: "
        f"{seeds(greedy)}. Interval: {methods(greedy)}.{predicted(text)}"
    )
    if differences:
        label, decoding = labels[first], minus.decoding.iloc[0]
        caption += f" Minus: the difference on {label}, {decoding}, in points; p-values are in the table comparisons."
    columns = [*labels.values(), *([f"{labels[first]}, sampled"] if len(sampled) else ())]
    head = [*(f"{label} (%)" for label in columns), *(f"minus {metric.removeprefix(prefix)}" for metric in differences)]
    return View(caption, ["arm", *head, "seeds"], rows)


def view_comparisons(text: pd.DataFrame) -> View:
    """One row per pair and benchmark in the experiment's decoding, which comes first, then the first benchmark's in the
    other; the detectable difference stands beside each non-significant one."""
    rows, places = [], list(text[["decoding", "benchmark"]].drop_duplicates().itertuples(index=False, name=None))
    places_shown = [(d, b) for d, b in places if (d == places[0][0] or b == places[0][1])]
    for _, row in text.iterrows():
        if (row.decoding, row.benchmark) not in places_shown:
            continue
        where = BENCHMARKS.get(row.benchmark, row.benchmark)
        where += f", {row.decoding}" if row.decoding != places[0][0] else ""
        numbers = [interval(row, "difference"), row.detectable if row.p_holm and float(row.p_holm) >= ALPHA else ""]
        over_seeds = f"[{row.seed_low}, {row.seed_high}]" if row.seed_low else ""
        rows.append([where, row.arm, row.against, *numbers, over_seeds, row.p_holm, row.effect])
    caption = (
        "Difference in prompt-level strict accuracy, arm minus comparator, in points, with 95 % interval; "
        f"beside one that is not significant (Holm-adjusted p of {ALPHA} or more), the difference that "
        "these data would detect with 80 % power. Over seeds: 95 % t interval, for these prompts only. p: "
        "two-sided, same bootstrap; Holm: within the comparisons of one decoding and one benchmark. h: effect, "
        f"Cohen's. {f'{places[0][0].capitalize()} decoding where nothing else is said; ' if places else ''}"
        f"the .csv has every benchmark in both. {prompts(text)}; seeds per arm: "
        f"{seeds(text)}. Method: {methods(text)}.{predicted(text)}"
    )
    head = "benchmark|arm|against|difference (points)|detectable|over seeds|p (Holm)|h"
    return View(caption, head.split("|"), rows, grouped=True)


def view_distances(text: pd.DataFrame) -> View:
    """One row per quantity and arm."""
    rows = []
    for quantity, of_quantity in text.groupby("quantity", sort=False):
        for _, row in of_quantity.iterrows():
            bounds = {name: (row[f"{name}_low"], row[f"{name}_high"]) for name in ("wasserstein", "energy")}
            with_bounds = [f"{row[name]} [{low}, {high}]" if low else row[name] for name, (low, high) in bounds.items()]
            over_seeds = f"[{row.low}, {row.high}]" if row.low else ""
            rows.append([quantity, row.arm, row.ks, with_bounds[0], over_seeds, with_bounds[1]])
            rows[-1] += [row.median_difference, row.wilcoxon_p]
    caption = (
        "Distance between an arm's sampled responses and the expert's responses to the same prompts: mean "
        "over seeds, for p the median. Log-probability: mean per token that the arm, or the base, gives to either "
        "text. Wasserstein distance and median difference (arm minus expert) in words or nats per token, energy "
        "distance in the root of the unit; 95 % intervals; over seeds: t interval of the Wasserstein distance for "
        f"these prompts only. n = {span(text.n_responses)} responses per seed; seeds per arm: {seeds(text)}. "
        f"Method: {methods(text)}."
    )
    head = "quantity|arm|KS|Wasserstein|over seeds|energy|median difference|p (Wilcoxon)"
    return View(caption, head.split("|"), rows, grouped=True)


def view_diversity(text: pd.DataFrame) -> View:
    """One row per arm, one column per quantity."""
    quantities, rows = list(dict.fromkeys(text.quantity)), []
    for arm, of_arm in text.groupby("arm", sort=False):
        cells = {row.quantity: interval(row, "estimate") for _, row in of_arm.iterrows()}
        rows.append([arm, *(cells.get(quantity, "") for quantity in quantities), span(of_arm.n_seeds)])
    shared = text.interval.str.startswith("Wilson").any()
    equal = ", Wilson's over responses where all seeds have one share" if shared else ""
    caption = (
        "Diversity of an arm's sampled responses: distinct word bigrams of all bigrams (distinct-2) and distinct "
        "responses of all responses, in one seed; entropy: the mean of -log p of the sampled tokens under the arm. "
        f"Mean with 95 % t interval over seeds{equal}; the expert's responses to the same prompts are one set. "
        f"n = {span(text.n_responses)} responses per seed; seeds per arm: {seeds(text[text.arm != 'expert'])}."
    )
    return View(caption, ["arm", *quantities, "seeds"], rows)


def estimate_with_intervals(row: pd.Series) -> str:
    """The estimate of a row of claims with its intervals."""
    return interval(row, "estimate") + (f"; over seeds [{row.seed_low}, {row.seed_high}]" if row.seed_low else "")


def verdict(row: pd.Series) -> str:
    """The verdict of a row of claims, what would decide it, and what was changed after the runs were first analysed."""
    text = f"{row.verdict}: {row.reason}" if row.verdict in (UNDECIDED, WITHDRAWN) else row.verdict
    return text + (f"; changed since its runs were first analysed: {row.changed}" if row.get("changed") else "")


def view_claims(text: pd.DataFrame) -> View:
    """One row per claim."""
    rows = []
    for _, row in text.iterrows():
        quantity = f"{row.quantity} of {row.arm}" + (f" minus {row.against}" if row.against else "")
        quantity += f" is {row.direction} {row.margin}" + (f"; {row.benchmark}" if row.benchmark else "")
        sentences = [row.id, with_source(row.sentence, row.source), quantity]
        rows.append([*sentences, estimate_with_intervals(row), row.p_holm, row.n_seeds, verdict(row)])
    prompts = [n for n in text.n_prompts if n]  # a quantity of whole runs has none
    counts = (
        f"n = {span(prompts)} prompts; seeds: {span(text.n_seeds)}." if prompts else f"n = {span(text.n_seeds)} seeds."
    )
    caption = (
        "Claims as the experiment's file states them, and what was measured. Supported (contradicted): every 95 % "
        "interval lies wholly on the claimed (the other) side, and p (Holm) is below 0.05; the intervals of accuracy "
        "(points) are the hierarchical bootstrap over seeds and prompts and the t interval over seeds, those of the "
        "other quantities the t interval over seeds alone. "
        "Detectable: the difference that these data would show with 80 % power; beside it the seeds per arm that would "
        "show one as large as was measured. p (Holm): the largest p of a claim's tests, two-sided against the margin, "
        "adjusted for the claims of its family, those of the experiment where "
        f"the .csv names no other. {TAGS} {counts if rows else 'This experiment states none.'}"
    )
    head = "claim|what it says|what is measured|found|p (Holm)|seeds|verdict"
    prose = {"what it says": 0.23, "what is measured": 0.2, "found": 0.15, "verdict": 0.17}
    return View(caption, head.split("|"), rows, prose)


def view_cost(text: pd.DataFrame) -> View:
    """One row per arm."""
    columns = "arm optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained seconds peak_memory_mb"
    energy = text.energy_wh.where((text.energy_wh != "") | (text.seconds == MISSING), UNMEASURED)
    rows = text[columns.split()].assign(energy=energy, n_seeds=text.n_seeds).to_numpy().tolist()
    caption = (
        "Cost of one run, mean over seeds; the arms that it starts from are included, the base model is not. "
        f"Memory: the largest peak. Energy: where every run of an arm has it measured. "
        f"n = {seeds(text)} seeds."
    )
    head = "arm|optimizer steps|demonstrations|rollouts|tokens generated|tokens trained|seconds"
    return View(caption, [*head.split("|"), "memory (MB)", "energy (Wh)", "seeds"], rows)


VIEWS: dict[str, Callable[[pd.DataFrame], View]] = {
    "main": view_main,
    "summary": view_summary,
    "comparisons": view_comparisons,
    "claims": view_claims,
    "distances": view_distances,
    "diversity": view_diversity,
    "cost": view_cost,
    "transfer": view_transfer,
    "aggregate": view_aggregate,
    "nearer": view_nearer,
    "type_comparisons": view_type_comparisons,
}
