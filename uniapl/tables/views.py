"""What the .md and .tex of an experiment's tables show: one function per table, from the rounded rows to a View."""

from collections.abc import Callable, Iterable

import pandas as pd

from uniapl.claims import UNDECIDED, WITHDRAWN
from uniapl.tables.form import View

ALPHA = 0.05
BENCHMARKS = {"trained": "trained types", "new_types": "new types", "new_topics": "new topics"}


def _interval(row: pd.Series, estimate: str) -> str:
    return f"{row[estimate]} [{row.low}, {row.high}]" if row.low else row[estimate]


def _span(values: Iterable[str]) -> str:
    """`5`, or `1 to 5` where they differ."""
    numbers = sorted({int(value) for value in values})
    return " to ".join(str(n) for n in dict.fromkeys([numbers[0], numbers[-1]])) if numbers else "none"


def _seeds(text: pd.DataFrame) -> str:
    """`5`, with the arms named that have another number: `5 (base: 1)`."""
    per_arm = text.groupby("arm", sort=False).n_seeds.max() if len(text) else pd.Series(dtype=str)
    usual = max(per_arm, key=lambda n: (list(per_arm).count(n), int(n)), default="none")
    odd = [f"{arm}: {n}" for arm, n in per_arm.items() if n != usual]
    return usual + (f" ({', '.join(odd)})" if odd else "")


def _benchmarks(text: pd.DataFrame) -> dict[str, str]:
    """Those present with their label, the known ones first."""
    known = [b for b in BENCHMARKS if b in set(text.benchmark)]
    return {b: BENCHMARKS.get(b, b) for b in (*known, *sorted(set(text.benchmark) - set(known)))}


def _prompts(text: pd.DataFrame) -> str:
    """`n = 128 prompts (trained types), 64 prompts (new types)`."""
    names = _benchmarks(text).items()
    counts = [f"{_span(text.n_prompts[text.benchmark == b])} prompts ({label})" for b, label in names]
    return f"n = {', '.join(counts) or 'none'}"


def _methods(text: pd.DataFrame) -> str:
    """The methods of the rows, the most frequent first."""
    return "; ".join(text.method.value_counts().index) or "none"


def view_main(text: pd.DataFrame) -> View:
    """One row per arm: prompt-level strict accuracy, greedy on each benchmark and sampled on the first."""
    strict = text[text.metric == "prompt_strict"]
    greedy, sampled = (strict[strict.decoding == decoding] for decoding in ("greedy", "sampled"))
    benchmarks, rows = _benchmarks(greedy), []
    first = next(iter(benchmarks), None)
    for arm, of_arm in greedy.groupby("arm", sort=False):
        cells = {row.benchmark: _interval(row, "estimate") for _, row in of_arm.iterrows()}
        drawn = sampled[(sampled.arm == arm) & (sampled.benchmark == first)]
        at_one = [_interval(row, "estimate") for _, row in drawn.iterrows()] or [""]
        rows.append([arm, *(cells.get(b, "") for b in benchmarks), *at_one, _span(of_arm.n_seeds)])
    caption = (
        "Prompts of which every instruction is followed (prompt-level strict accuracy), in %, with 95 % interval; "
        f"greedy decoding, and sampled at temperature 1 where it says so. {_prompts(greedy)}; seeds per arm: "
        f"{_seeds(greedy)}. Interval: {_methods(greedy)}."
    )
    labels = [*benchmarks.values(), *([f"{benchmarks[first]}, sampled"] if first else ["sampled"])]
    return View(caption, ["arm", *(f"{label} (%)" for label in labels), "seeds"], rows)


def view_comparisons(text: pd.DataFrame) -> View:
    """One row per pair and benchmark in the experiment's decoding, which comes first, then the first benchmark's in the
    other; the detectable difference stands beside each non-significant one."""
    rows, places = [], list(text[["decoding", "benchmark"]].drop_duplicates().itertuples(index=False, name=None))
    shown = [(d, b) for d, b in places if (d == places[0][0] or b == places[0][1])]
    for _, row in text.iterrows():
        if (row.decoding, row.benchmark) not in shown:
            continue
        where = BENCHMARKS.get(row.benchmark, row.benchmark)
        where += f", {row.decoding}" if row.decoding != places[0][0] else ""
        found = [_interval(row, "difference"), "" if float(row.p_holm) < ALPHA else row.detectable]
        over_seeds = f"[{row.seed_low}, {row.seed_high}]" if row.seed_low else ""
        rows.append([where, row.arm, row.against, *found, over_seeds, row.p_holm, row.effect])
    caption = (
        "Difference in prompt-level strict accuracy, arm minus comparator, in points, with 95 % interval; "
        f"beside one that is not significant (Holm-adjusted p of {ALPHA} or more), the difference that "
        "these data would detect with 80 % power. Over seeds: 95 % t interval, for these prompts only. p: "
        "two-sided, same bootstrap; Holm: within the comparisons of one decoding and one benchmark. h: effect, "
        f"Cohen's. {f'{places[0][0].capitalize()} decoding where nothing else is said; ' if places else ''}"
        f"the .csv has every benchmark in both. {_prompts(text)}; seeds per arm: "
        f"{_seeds(text)}. Method: {_methods(text)}."
    )
    head = "benchmark|arm|against|difference (points)|detectable|over seeds|p (Holm)|h"
    return View(caption, head.split("|"), rows, grouped=True)


def view_distances(text: pd.DataFrame) -> View:
    """One row per quantity and arm."""
    rows = []
    for quantity, of_quantity in text.groupby("quantity", sort=False):
        for _, row in of_quantity.iterrows():
            bounds = {kind: (row[f"{kind}_low"], row[f"{kind}_high"]) for kind in ("wasserstein", "energy")}
            found = [f"{row[kind]} [{low}, {high}]" if low else row[kind] for kind, (low, high) in bounds.items()]
            over_seeds = f"[{row.low}, {row.high}]" if row.low else ""
            rows.append([quantity, row.arm, row.ks, found[0], over_seeds, found[1]])
            rows[-1] += [row.median_difference, row.wilcoxon_p]
    caption = (
        "Distance between an arm's sampled responses and the expert's responses to the same prompts: mean "
        "over seeds, for p the median. Log-probability: mean per token that the arm, or the base, gives to either "
        "text. Wasserstein distance and median difference (arm minus expert) in words or nats per token, energy "
        "distance in the root of the unit; 95 % intervals; over seeds: t interval of the Wasserstein distance for "
        f"these prompts only. n = {_span(text.n_responses)} responses per seed; seeds per arm: {_seeds(text)}. "
        f"Method: {_methods(text)}."
    )
    head = "quantity|arm|KS|Wasserstein|over seeds|energy|median difference|p (Wilcoxon)"
    return View(caption, head.split("|"), rows, grouped=True)


def view_diversity(text: pd.DataFrame) -> View:
    """One row per arm, one column per quantity."""
    quantities, rows = list(dict.fromkeys(text.quantity)), []
    for arm, of_arm in text.groupby("arm", sort=False):
        cells = {row.quantity: _interval(row, "estimate") for _, row in of_arm.iterrows()}
        rows.append([arm, *(cells.get(quantity, "") for quantity in quantities), _span(of_arm.n_seeds)])
    caption = (
        "Diversity of an arm's sampled responses: distinct word bigrams of all bigrams (distinct-2) and distinct "
        "responses of all responses, in one seed; entropy: the mean of -log p of the sampled tokens under the arm. "
        "Mean with 95 % t interval over seeds; the expert's responses to the same prompts are one set. "
        f"n = {_span(text.n_responses)} responses per seed; seeds per arm: {_seeds(text[text.arm != 'expert'])}."
    )
    return View(caption, ["arm", *quantities, "seeds"], rows)


def found(row: pd.Series) -> str:
    """The estimate of a row of claims with its intervals."""
    return _interval(row, "estimate") + (f"; over seeds [{row.seed_low}, {row.seed_high}]" if row.seed_low else "")


def verdict(row: pd.Series) -> str:
    """The verdict of a row of claims, what would decide it, and what was changed after the runs were first analysed."""
    text = f"{row.verdict}: {row.reason}" if row.verdict in (UNDECIDED, WITHDRAWN) else row.verdict
    return text + (f"; changed since its runs were first analysed: {row.changed}" if row.get("changed") else "")


def view_claims(text: pd.DataFrame) -> View:
    """One row per claim."""
    rows = []
    for _, row in text.iterrows():
        measured = f"{row.quantity} of {row.arm}" + (f" minus {row.against}" if row.against else "")
        measured += f" is {row.direction} {row.margin}" + (f"; {row.benchmark}" if row.benchmark else "")
        said = [row.id, f"{row.sentence} ({row.source})", measured]
        rows.append([*said, found(row), row.n_seeds, verdict(row)])
    counts = f"n = {_span(text.n_prompts[text.n_prompts != ''])} prompts; seeds: {_span(text.n_seeds)}."
    caption = (
        "Claims as the experiment's file states them, and what was measured. Supported (contradicted): every 95 % "
        "interval lies wholly on the claimed (the other) side; for accuracy (points) these are the hierarchical "
        "bootstrap over seeds and prompts and the t interval over seeds, for the other quantities the t interval over "
        "seeds alone. "
        "Detectable: the difference that these data would show with 80 % power. No adjustment for the number of "
        f"claims. {counts if rows else 'This experiment states none.'}"
    )
    head = "claim|what it says|what is measured|found|seeds|verdict"
    prose = {"what it says": 0.26, "what is measured": 0.22, "found": 0.16, "verdict": 0.16}
    return View(caption, head.split("|"), rows, prose)


def view_cost(text: pd.DataFrame) -> View:
    """One row per arm."""
    columns = "arm optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained seconds"
    rows = text[[*columns.split(), "peak_memory_mb", "n_seeds"]].to_numpy().tolist()
    caption = (
        "Cost of one run, mean over seeds; the arms that it starts from are included, the base model is not. "
        f"Memory: the largest peak. n = {_seeds(text)} seeds."
    )
    head = "arm|optimizer steps|demonstrations|rollouts|tokens generated|tokens trained|seconds"
    return View(caption, [*head.split("|"), "memory (MB)", "seeds"], rows)


VIEWS: dict[str, Callable[[pd.DataFrame], View]] = {
    "main": view_main,
    "comparisons": view_comparisons,
    "claims": view_claims,
    "distances": view_distances,
    "diversity": view_diversity,
    "cost": view_cost,
}
