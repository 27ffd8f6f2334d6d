"""Does any method beat SFT then GRPO?  The summary of the experiment `mixtures`, for README and report."""

from collections import Counter

import pandas as pd

from uniapl.analyse.claims import CONTRADICTED, SUPPORTED, UNDECIDED
from uniapl.config import load_experiment
from uniapl.config.names import BENCHMARKS
from uniapl.tables.columns import MISSING
from uniapl.tables.form import View
from uniapl.tables.summaries import between, of_benchmark, sizes, verdict_before_adjustment

EXPERIMENT = "mixtures"
QUESTION = "Does any method beat SFT then GRPO?"
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED)


def view_methods(text: pd.DataFrame, claims: pd.DataFrame) -> View:
    """One row per arm of the rounded `summary`, the most accurate first; its caption counts the verdicts of `claims`.

    An arm has the label that its claims give it, or its name; one without a run stands last.
    """
    labels = {arm.name: arm.label for arm in load_experiment(EXPERIMENT).arms if arm.label}
    against = next((name for name in text.against if name), "comparator")
    seen, unseen = (of_benchmark(text, column) for column in ("benchmark", "unseen"))
    rank = pd.to_numeric(text.estimate, errors="coerce")  # of one that is missing: none
    rows = []
    for _, row in text.loc[rank.sort_values(ascending=False, kind="stable").index].iterrows():
        elsewhere = f"{row.unseen_estimate} ({row.kept})" if row.kept else row.unseen_estimate
        rows.append([labels.get(row.arm, row.arm), row.estimate, between(row, "difference"), elsewhere])
        rows[-1] += [thousands(row), verdict_before_adjustment(row)]
    pipeline = labels.get(against, against)
    caption = (
        f"Verdicts on the claims to be above {pipeline}, on {counted(claims)}. The table: prompts followed, in %, and "
        f"minus {pipeline}, in points, with 95 % interval; in brackets minus the base, below 0 where types that were "
        "never trained were forgotten; tokens sampled and tokens trained on, in thousands, of a training with its "
        "starts (the recipe's on any machine, as seconds are not); verdict on "
        f"the claim to be above {pipeline} on {seen}, where one is made. {sizes(text)}."
    )
    head = f"method|{seen} (%)|minus {pipeline}|{unseen} (%) (minus base)|1,000 tokens|verdict"
    return View(caption, head.split("|"), rows)


def thousands(row: pd.Series) -> str:
    """Tokens sampled and tokens trained on; blank where one of them is not known."""
    spent = [row.tokens_generated, row.tokens_trained]
    return f"{sum(map(float, spent)) / 1e3:.0f}" if all(x and x != MISSING for x in spent) else ""


def counted(claims: pd.DataFrame) -> str:
    """`trained types: 0 supported, 9 contradicted, 6 not decided; new types: ...`"""
    of_accuracy = claims[claims.verdict.isin(VERDICTS) & (claims.benchmark != "")]
    told = []
    for benchmark, verdicts in of_accuracy.groupby("benchmark", sort=False).verdict:
        counts = Counter(verdicts)
        numbers = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
        told.append(f"{BENCHMARKS.get(benchmark, benchmark)}: {numbers}")
    return "; ".join(told) or "no benchmark: none was judged"
