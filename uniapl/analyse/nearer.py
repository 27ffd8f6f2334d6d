"""Which of two arms is nearer to the expert: the difference of their Wasserstein distances, prompts drawn for both."""

import itertools

import pandas as pd

from uniapl import stats
from uniapl.analyse.inputs import Question
from uniapl.analyse.measures import CELL, QUANTITIES, RESAMPLES

COLUMNS = "quantity arm against difference low high p p_bh n_seeds n_seeds_against n_responses method"


def differences(pairs: pd.DataFrame, plan: Question, rng, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Distance of an arm's sampled responses to the expert's minus the comparator's, in the quantity's unit.

    `pairs` as `measures.pairs` makes it. Below 0 the arm is nearer. Over the prompts for which every seed of both arms
    has a value. p_bh: Benjamini-Hochberg over all rows of the table.
    """
    cells, rows, rows_of = list(itertools.product(QUANTITIES, plan.pairs())), [], dict(iter(pairs.groupby(CELL)))
    for (quantity, compared), child in zip(cells, rng.spawn(len(cells)), strict=True):
        wide = []
        for arm in compared:
            of_arm = rows_of.get((arm, quantity), pairs[:0])
            wide.append(of_arm.pivot(index="seed", columns="key", values=["own", "expert"]).dropna(axis="columns"))
        keys = wide[0].get("own", pd.DataFrame()).columns.intersection(wide[1].get("own", pd.DataFrame()).columns)
        if not len(keys):
            continue
        (a, expert_a), (b, expert_b) = ((w["own"][keys], w["expert"][keys]) for w in wide)
        comparison = stats.distance_difference(a, b, expert_a, expert_b, rng=child, resamples=resamples)
        row = dict(quantity=quantity, arm=compared[0], against=compared[1], difference=comparison.estimate)
        row |= dict(
            low=comparison.low,
            high=comparison.high,
            p=comparison.p,
            n_responses=comparison.n_prompts,
            method=comparison.method,
        )
        rows.append(row | dict(n_seeds=comparison.n_seeds_a, n_seeds_against=comparison.n_seeds_b))
    table = pd.DataFrame(rows, columns=COLUMNS.split())
    return table.assign(p_bh=stats.benjamini_hochberg(table.p.astype(float)))
