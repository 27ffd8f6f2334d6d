"""What the .md and .tex of the tables that sum up show: all at once, transfer, all benchmarks, distances and types."""

import pandas as pd

from uniapl.config.names import BENCHMARKS
from uniapl.tables.captions import ALPHA, benchmark_labels, interval, methods, prompts, seeds, span
from uniapl.tables.form import View


def view_summary(text: pd.DataFrame) -> View:
    """One row per arm."""
    seen, unseen = (of_benchmark(text, column) for column in ("benchmark", "unseen"))
    against = next((name for name in text.against if name), "comparator")
    rows = []
    for _, row in text.iterrows():
        measured = [interval(row, "estimate"), between(row, "difference"), row.p_holm]
        measured += [between(row, "unseen_estimate", "unseen"), between(row, "kept")]
        rows.append([row.arm, *measured, row.tokens_generated, row.tokens_trained, row.seconds])
        rows[-1] += [verdict_before_adjustment(row), row.n_seeds]
    caption = (
        "Each arm at once, from the other tables of the experiment: prompt-level strict accuracy, in %, and the "
        f"difference to {against}, in points, with 95 % interval and Holm's p (main, comparisons); accuracy on types "
        "of instruction that were never trained, and the difference to the base there, below 0 where the arm forgot "
        "(transfer); tokens and seconds of a training with its starts, mean over seeds (cost); the verdict on the "
        f"claim that the arm is above {against}, where the experiment makes it (claims). "
        f"{next(iter(text.decoding), 'greedy').capitalize()} decoding. {sizes(text)}."
    )
    head = f"arm|{seen} (%)|minus {against}|p (Holm)|{unseen} (%)|minus base, {unseen}|tokens generated|tokens trained"
    return View(caption, [*head.split("|"), "seconds", "verdict", "seeds"], rows)


def of_benchmark(text: pd.DataFrame, column: str) -> str:
    """The label of the one benchmark that this column of a summary names."""
    name = next((name for name in text[column] if name), column)
    return BENCHMARKS.get(name, name)


def sizes(text: pd.DataFrame) -> str:
    """`n = 384 prompts (trained types), 192 prompts (new types); seeds per arm: 5`, of a summary."""
    columns = {"benchmark": "n_prompts", "unseen": "unseen_n_prompts"}
    counts = {of_benchmark(text, name): span(text[n]) for name, n in columns.items()}
    counted = ", ".join(f"{n} prompts ({label})" for label, n in counts.items() if n != "none") or "none"
    return f"n = {counted}; seeds per arm: {seeds(text)}"


def between(row: pd.Series, estimate: str, bounds: str = "") -> str:
    """`-1.4 [-3.2, 0.4]`: an estimate of a summary with the interval of its name, or blank."""
    low, high = (row[f"{bounds or estimate}_{side}"] for side in ("low", "high"))
    return f"{row[estimate]} [{low}, {high}]" if low else row[estimate]


def verdict_before_adjustment(row: pd.Series) -> str:
    """`not decided (contradicted before adjustment)`: a summary's verdict, and what the intervals alone would say."""
    changed = row.unadjusted and row.unadjusted != row.verdict
    return row.verdict + (f" ({row.unadjusted} before adjustment)" if changed else "")


def view_transfer(text: pd.DataFrame) -> View:
    """One row per arm; for each benchmark the accuracy and the difference to the base."""
    labels, rows = benchmark_labels(text), []
    for arm, of_arm in text.groupby("arm", sort=False):
        row, by_benchmark = [arm], of_arm.set_index("benchmark")
        for benchmark in labels:
            estimates = by_benchmark.loc[benchmark] if benchmark in by_benchmark.index else None
            row += ["", ""] if estimates is None else [estimates.estimate, _difference(estimates)]
        rows.append([*row, span(of_arm.n_seeds)])
    decoding = next(iter(text.decoding), "greedy")
    caption = (
        "Transfer: prompt-level strict accuracy, in %, on the types of instruction that were trained, on types that "
        "never were, and on topics that never were; beside it the difference to the base, in points, with 95 % "
        f"interval; *: Benjamini-Hochberg-adjusted p below {ALPHA} over all differences of the table. "
        f"{decoding.capitalize()} decoding. {prompts(text)}; seeds per arm: {seeds(text)}. "
        f"Method: {methods(text[text.difference != ''])}."
    )
    head = [name for label in labels.values() for name in (f"{label} (%)", f"minus base, {label}")]
    return View(caption, ["arm", *head, "seeds"], rows)


def _difference(row: pd.Series) -> str:
    """`21.9 [16.1, 27.6]*`: a difference with its interval, starred where its adjusted p says so."""
    if not row.difference:
        return ""
    star = "*" if float(row.p_bh) < ALPHA else ""
    return f"{row.difference} [{row.difference_low}, {row.difference_high}]{star}"


def view_aggregate(text: pd.DataFrame) -> View:
    """One row per arm: the interquartile mean, and the probability of improvement over each comparator."""
    means, pairs = text[text.against == ""], text[text.against != ""]
    comparators, rows = list(dict.fromkeys(pairs.against)), []
    for _, mean in means.iterrows():
        of_arm = pairs[pairs.arm == mean.arm].set_index("against")
        over = [interval(of_arm.loc[c], "estimate") if c in of_arm.index else "" for c in comparators]
        rows.append([mean.arm, interval(mean, "estimate"), *over, mean.n_seeds])
    caption = (
        f"All {span(text.n_benchmarks)} benchmarks at once, prompt-level strict accuracy by seed: the interquartile "
        "mean, the mean of the middle half of all seeds and benchmarks, in %; and how probable it is, in %, that a "
        "seed of the arm scores above one of the comparator, mean over benchmarks, 50 where they are alike. 95 % "
        f"intervals, {methods(means)}: too narrow with few seeds, so they summarise and decide nothing. Each pair is "
        f"shown once. Seeds per arm: {seeds(means)}."
    )
    head = ["interquartile mean (%)", *(f"better than {comparator} (%)" for comparator in comparators)]
    return View(caption, ["arm", *head, "seeds"], rows)


def view_nearer(text: pd.DataFrame) -> View:
    """One row per quantity and pair."""
    rows = [
        [row.quantity, row.arm, row.against, interval(row, "difference"), row.p, row.p_bh] for _, row in text.iterrows()
    ]
    caption = (
        "Wasserstein distance of an arm's sampled responses to the expert's minus that of the comparator's, in words "
        "or nats per token; below 0 the arm is nearer. Log-probability: mean per token that the arm, or the base, "
        "gives to either text. 95 % interval; p: two-sided, same bootstrap; BH: Benjamini-Hochberg over the table. "
        f"n = {span(text.n_responses)} responses per seed; seeds per arm: {seeds(_both_sides(text))}. "
        f"Method: {methods(text)}."
    )
    return View(caption, ["quantity", "arm", "against", "difference", "p", "p (BH)"], rows, grouped=True)


def view_type_comparisons(text: pd.DataFrame) -> View:
    """One row per pair and instruction type, of the pairs with the type's name and its difference."""
    rows = []
    for _, row in text.iterrows():
        pair = f"{row.arm} minus {row.against}"
        rows.append([pair, row.instruction_id, interval(row, "difference"), row.p, row.p_bh, row.n_prompts])
    caption = (
        "Difference by type of instruction, all benchmarks together: share of a prompt's instructions of that type "
        "that are followed, strict, arm minus comparator, in points, with 95 % interval. p: two-sided, same bootstrap; "
        f"BH: Benjamini-Hochberg over the types of a pair. Seeds per arm: {seeds(_both_sides(text))}. "
        f"Method: {methods(text)}."
    )
    head = "pair|type|difference (points)|p|p (BH)|prompts"
    return View(caption, head.split("|"), rows, grouped=True)


def _both_sides(text: pd.DataFrame) -> pd.DataFrame:
    """arm, n_seeds of the arms and the comparators of a table of pairs."""
    other = text[["against", "n_seeds_against"]].set_axis(["arm", "n_seeds"], axis=1)
    return pd.concat([text[["arm", "n_seeds"]], other])
