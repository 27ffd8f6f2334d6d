"""What the captions and cells of all tables share."""

from collections.abc import Iterable

import pandas as pd

from uniapl.config.names import BENCHMARKS

ALPHA = 0.05
UNMEASURED = "not measured"
TAGS = (  # what the sources of claims mean (experiments/)
    "[A] marks a claim of the paper's abstract, [K] one of the key findings that circulate with it, [R] one of the "
    "public reviews, [R-asks] what reviewers asked for; (ours) one of this suite."
)


def with_source(sentence: str, source: str) -> str:
    """`UniAPL follows more prompts than GRPO [A]`, or `... (ours)`: a tag has brackets of its own."""
    return f"{sentence} {source}" if source.startswith("[") else f"{sentence} ({source})"


def interval(row: pd.Series, estimate: str) -> str:
    """`46.5 [40.1, 53.0]`, or the estimate alone."""
    return f"{row[estimate]} [{row.low}, {row.high}]" if row.low else row[estimate]


def span(values: Iterable[str]) -> str:
    """`5`, or `1 to 5` where they differ."""
    numbers = sorted({int(value) for value in values if value})
    return " to ".join(str(n) for n in dict.fromkeys([numbers[0], numbers[-1]])) if numbers else "none"


def seeds(text: pd.DataFrame) -> str:
    """`5`, with the arms named that have another number: `5 (base: 1)`."""
    per_arm = text.groupby("arm", sort=False).n_seeds.max() if len(text) else pd.Series(dtype=str)
    usual = max(per_arm, key=lambda n: (list(per_arm).count(n), int(n)), default="none")
    odd = [f"{arm}: {n}" for arm, n in per_arm.items() if n != usual]
    return usual + (f" ({', '.join(odd)})" if odd else "")


def benchmark_labels(text: pd.DataFrame) -> dict[str, str]:
    """Those present with their label, the known ones first."""
    known = [b for b in BENCHMARKS if b in set(text.benchmark)]
    return {b: BENCHMARKS.get(b, b) for b in (*known, *sorted(set(text.benchmark) - set(known)))}


def prompts(text: pd.DataFrame) -> str:
    """`n = 128 prompts (trained types), 64 prompts (new types)`."""
    names = benchmark_labels(text).items()
    counts = [f"{span(text.n_prompts[text.benchmark == b])} prompts ({label})" for b, label in names]
    return f"n = {', '.join(counts) or 'none'}"


def predicted(text: pd.DataFrame) -> str:
    """What a caption says of the prediction intervals in the .csv; nothing of a table that is older than they."""
    if "predict_low" not in text:
        return ""
    return (
        " predict_low, predict_high in the .csv: in 95 % of reruns with as many other seeds and the same prompts the "
        "estimate lies between them; blank where an arm has one seed."
    )


def methods(text: pd.DataFrame) -> str:
    """The methods of the rows, the most frequent first."""
    return "; ".join(text.method[text.method != ""].value_counts().index) or "none"
