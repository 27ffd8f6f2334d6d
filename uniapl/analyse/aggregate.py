"""All benchmarks of an experiment at once: interquartile mean, and how probably an arm's seed beats a comparator's."""

import pandas as pd

from uniapl import stats
from uniapl.analyse.accuracy import Cells, matrix
from uniapl.analyse.inputs import Question

IQM = "interquartile mean (%)"
IMPROVED = "probability of improvement (%)"
COLUMNS = "arm against quantity estimate low high n_seeds n_benchmarks method"


def aggregates(prompts: Cells, plan: Question, names: list[str], rng, resamples: int) -> pd.DataFrame:
    """Of prompt-level strict accuracy by seed and benchmark, in the plan's decoding, in percent.

    Intervals: 95 %, bootstrap over seeds within each benchmark (Agarwal et al. 2021). They summarise and decide
    nothing: over 3 to 5 seeds they cover 83 to 93 % (docs/statistics.md). An arm of one seed has none, nor has an
    interquartile mean of seeds that do not differ.
    """
    scores = {arm: _scores(prompts, arm, names, plan.decoding) for arm in plan.arms}
    of_arms, of_pairs = rng.spawn(2)
    rows = []
    for arm, child in zip(plan.arms, of_arms.spawn(len(plan.arms)), strict=True):
        if len(scores[arm]):
            aggregate = stats.iqm(100 * scores[arm], rng=child, resamples=resamples)
            rows.append(_row(aggregate, 1, arm=arm, quantity=IQM))
    pairs = plan.pairs()
    for (arm, against), child in zip(pairs, of_pairs.spawn(len(pairs)), strict=True):
        if len(scores[arm]) and len(scores[against]):
            aggregate = stats.probability_of_improvement(scores[arm], scores[against], rng=child, resamples=resamples)
            rows.append(_row(aggregate, 100, arm=arm, against=against, quantity=IMPROVED))
    return pd.DataFrame(rows, columns=COLUMNS.split())


def _scores(prompts: Cells, arm: str, names: list[str], decoding: str) -> pd.DataFrame:
    """Seeds x benchmarks; empty where the arm has no run."""
    means = {name: matrix(prompts, arm, name, decoding, "prompt_strict").mean(axis=1) for name in names}
    return pd.DataFrame(means).dropna()


def _row(aggregate: stats.Aggregate, scale: float, **names: str) -> dict:
    varied = aggregate.n_seeds > 1
    unscaled = {side: getattr(aggregate, side) if varied else None for side in ("low", "high")}
    bounds = {side: None if bound is None else scale * bound for side, bound in unscaled.items()}
    return (
        names
        | bounds
        | dict(
            estimate=scale * aggregate.estimate,
            n_seeds=aggregate.n_seeds,
            n_benchmarks=aggregate.n_benchmarks,
            method=aggregate.method,
        )
    )
