"""Transfer: what an arm gains or loses over the base on each benchmark, trained types first, held-out ones after."""

import itertools

import pandas as pd

from uniapl import stats
from uniapl.analyse.accuracy import Cells, matrix, percent
from uniapl.analyse.inputs import Question

BASE = "base"
COLUMNS = """arm benchmark decoding estimate low high against difference difference_low difference_high p p_bh
    n_seeds n_seeds_against n_prompts method"""


def over_base(
    prompts: Cells, main: pd.DataFrame, plan: Question, names: list[str], rng, resamples: int
) -> pd.DataFrame:
    """Prompt-level strict accuracy (%) of every arm on every benchmark, and its difference to the base (points).

    p: two-sided, that of `stats.compare`; p_bh: Benjamini-Hochberg over all differences of the table. The base's own
    rows have no difference, nor has any row where the base has no run.
    """
    cells, rows = list(itertools.product(plan.arms, names)), []
    strict = main[(main.metric == "prompt_strict") & (main.decoding == plan.decoding)].set_index(["arm", "benchmark"])
    for (arm, benchmark), child in zip(cells, rng.spawn(len(cells)), strict=True):
        if (arm, benchmark) not in strict.index:
            continue
        of_arm = strict.loc[(arm, benchmark)]
        row = {name: of_arm[name] for name in ("decoding", "estimate", "low", "high", "n_seeds", "n_prompts", "method")}
        a, b = (matrix(prompts, x, benchmark, plan.decoding, "prompt_strict") for x in (arm, BASE))
        if arm != BASE and not b.empty:
            shared = plan.pairs_seeds(a, b)
            comparison = percent(stats.compare(a, b, rng=child, shared_seeds=shared, resamples=resamples))
            row |= dict(against=BASE, difference=comparison["estimate"], p=comparison["p"], method=comparison["method"])
            row |= dict(difference_low=comparison["low"], difference_high=comparison["high"], n_seeds_against=len(b))
        rows.append(row | dict(arm=arm, benchmark=benchmark))
    table = pd.DataFrame(rows, columns=COLUMNS.split())
    with_p = table.p.notna()
    table.loc[with_p, "p_bh"] = stats.benjamini_hochberg(table.p[with_p].astype(float))
    return table
