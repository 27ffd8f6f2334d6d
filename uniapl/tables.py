"""Stage tables: the analysis for readers, each table once as data and rendered three times.

`python -m uniapl.tables --analysis results/local/tiny/analyse/headline --out FOLDER` writes main,
comparisons, distances and cost as

    .csv   the rows of the analysis, rounded
    .md    a compact table for the README
    .tex   the same table for a paper

Every number in the cells of the .md and the .tex is a string of the .csv. Missing values stay blank.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from uniapl.errors import UserError, one_line_errors

ALPHA = 0.05
ROUNDED = {  # table -> format -> the columns that have it; all other columns are words
    "main": {".1f": "estimate low high", ".0f": "n_seeds n_prompts"},
    "comparisons": {
        ".1f": "difference low high seed_low seed_high detectable",
        ".2f": "effect",
        ".4g": "p p_holm",  # exact: with 9,999 resamples they are multiples of 0.0002
        ".2g": "p_seeds mcnemar_p",
        ".0f": "n_seeds n_seeds_against n_prompts",
    },
    "distances": {
        ".3f": "ks wasserstein low high median_difference",
        ".2g": "ks_p wilcoxon_p",
        ".0f": "n_seeds n_responses",
    },
    "cost": {
        ".1f": "seconds",
        ".0f": """optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained peak_memory_mb
            n_seeds""",
    },
}
BENCHMARKS = {"trained": "trained types", "new_types": "new types", "new_topics": "new topics"}


@dataclass(frozen=True)
class View:
    """What .md and .tex show: a caption, column heads and one string per cell."""

    caption: str
    head: list[str]
    rows: list[list[str]]


def rounded(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table as strings: numbers in the format of their column, missing values blank.

    Raises UserError for an absent column and for a column that should hold numbers and does not.
    """
    text = table.astype(object).where(table.notna(), "").astype(str)
    for form, columns in ROUNDED[name].items():
        for column in columns.split():
            if column not in table:
                raise UserError(f"{name}.csv: no column {column}; it has {', '.join(table.columns)}")
            try:
                values = pd.to_numeric(table[column])
            except ValueError as error:
                raise UserError(f"{name}.csv: column {column}: {error}") from error
            text[column] = [number(x, form) if pd.notna(x) else "" for x in values]
    return text


def number(x: float, form: str) -> str:
    """`x` in this format, without the minus sign of a rounded zero."""
    text = format(x, form)
    return text.removeprefix("-") if float(text) == 0 else text


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
        prompts = dict(zip(of_arm.benchmark, of_arm.n_prompts, strict=True))
        counts = [_span(of_arm.n_seeds), "/".join(prompts.get(b, "-") for b in benchmarks)]
        rows.append([arm, *(cells.get(b, "") for b in benchmarks), *at_one, *counts])
    caption = (
        "Prompts of which every instruction is followed (prompt-level strict accuracy), in %, with 95 % interval; "
        f"greedy decoding, and sampled at temperature 1 where it says so. {_prompts(greedy)}; seeds per arm: "
        f"{_seeds(greedy)}. Interval: {_methods(greedy)}."
    )
    labels = [*benchmarks.values(), *([f"{benchmarks[first]}, sampled"] if first else ["sampled"])]
    return View(caption, ["arm", *(f"{label} (%)" for label in labels), "seeds", "prompts"], rows)


def view_comparisons(text: pd.DataFrame) -> View:
    """One row per pair, decoding and benchmark; the detectable difference stands beside each non-significant one."""
    rows = []
    for _, row in text.iterrows():
        found = [_interval(row, "difference"), "" if float(row.p_holm) < ALPHA else row.detectable]
        pair = [row.arm, row.against, row.decoding, BENCHMARKS.get(row.benchmark, row.benchmark)]
        over_seeds = f"[{row.seed_low}, {row.seed_high}]" if row.seed_low else ""
        rows.append([*pair, *found, over_seeds, row.p, row.p_holm, row.effect])
    caption = (
        "Difference in prompt-level strict accuracy, arm minus comparator, in points, with 95 % interval; "
        f"beside one that is not significant (Holm-adjusted p of {ALPHA} or more), the difference that "
        "these data would detect with 80 % power. Over seeds: 95 % t interval, for these prompts only. p: "
        "two-sided, same bootstrap; Holm: within the comparisons of one decoding and one benchmark. Effect: "
        f"Cohen's h. {_prompts(text)}; seeds per arm: "
        f"{_seeds(text)}. Method: {_methods(text)}."
    )
    head = "arm|against|decoding|benchmark|difference (points)|detectable|over seeds|p|p (Holm)|h"
    return View(caption, head.split("|"), rows)


def view_distances(text: pd.DataFrame) -> View:
    """One row per arm and quantity."""
    rows = []
    for _, row in text.iterrows():
        found = [row.ks, _interval(row, "wasserstein"), row.median_difference, row.wilcoxon_p]
        rows.append([row.arm, row.quantity, *found, row.n_seeds, row.n_responses])
    caption = (
        "Distance between an arm's sampled responses and the expert's responses to the same prompts: mean "
        "over seeds, for p the median. Wasserstein distance and median difference (arm minus expert) in "
        "words, for log-probabilities in nats per token; interval: 95 % t interval over seeds. "
        f"n = {_span(text.n_responses)} responses per seed; seeds per arm: {_seeds(text)}."
    )
    head = "arm|quantity|KS|Wasserstein|median difference|p (Wilcoxon)|seeds|responses"
    return View(caption, head.split("|"), rows)


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
    "distances": view_distances,
    "cost": view_cost,
}


def _numeric(view: View) -> list[bool]:
    """For each column: does a cell begin with a number?"""
    return [any(re.match(r"\[?-?\d", row[i]) for row in view.rows) for i in range(len(view.head))]


def markdown(view: View) -> str:
    """A pipe table, words left and numbers right, its caption below."""
    rows = [[cell.replace("|", r"\|") for cell in row] for row in (view.head, *view.rows)]
    rows.insert(1, ["--:" if numeric else ":--" for numeric in _numeric(view)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{view.caption}\n"


def latex(view: View, label: str) -> str:
    """A table environment; the document must load booktabs."""
    head, *body = (" & ".join(map(escape, row)) + r" \\" for row in (view.head, *view.rows))
    columns = "".join("r" if numeric else "l" for numeric in _numeric(view))
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\scriptsize\setlength{\tabcolsep}{2pt}",
            rf"\caption{{{escape(view.caption)}}}\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escape(text: str) -> str:
    """Text for LaTeX: special characters escaped, negative numbers with a real minus."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    text = re.sub(r"[\\~^&%$#_{}]", lambda match: special.get(match[0], "\\" + match[0]), text)
    return re.sub(r"(?<![\w.-])-(?=\d)", "$-$", text)


def render(analysis: Path, out: Path) -> None:
    """Write every table in its three formats. Raises UserError where the analysis lacks a file or column."""
    out.mkdir(parents=True, exist_ok=True)
    for name, view_of in VIEWS.items():
        path = analysis / f"{name}.csv"
        if not path.is_file():
            raise UserError(f"{path}: no such file; run the stage analyse first")
        text = rounded(name, pd.read_csv(path))
        view = view_of(text)
        text.to_csv(out / f"{name}.csv", index=False)
        (out / f"{name}.md").write_text(markdown(view), encoding="utf-8")
        (out / f"{name}.tex").write_text(latex(view, name), encoding="utf-8")


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line of stage tables."""
    parser = argparse.ArgumentParser(description="Tables of one analysis as .csv, .md and .tex.")
    parser.add_argument("--analysis", type=Path, required=True, help="folder with the CSV files of an analysis")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    args = parser.parse_args(argv)
    render(args.analysis, args.out)


if __name__ == "__main__":
    main()
