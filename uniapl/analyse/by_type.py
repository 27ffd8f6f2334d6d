"""Accuracy by instruction type, and between arms, with an adjustment for how many types there are."""

import pandas as pd

from uniapl import stats
from uniapl.analyse.accuracy import percent
from uniapl.analyse.inputs import Inputs, Question

RESAMPLES = 1999  # of a type's differences: few prompts have it, so their intervals are wide beside the error
COMPARED = "arm against instruction_id difference low high p p_bh n_seeds n_seeds_against n_prompts method"


def types(inputs: Inputs, plan: Question) -> pd.DataFrame:
    """Strict accuracy per arm, benchmark and instruction type; n: the type's instructions per seed."""
    groups = _scores(inputs, plan).groupby(["arm", "instruction_id", "benchmark"], as_index=False)
    table = groups.agg(estimate=("strict", "mean"), n=("strict", "size"), n_seeds=("seed", "nunique"))
    return table.assign(estimate=100 * table.estimate, n=table.n // table.n_seeds)


def comparisons(inputs: Inputs, plan: Question, rng, resamples: int) -> pd.DataFrame:
    """Every arm against the plan's first comparator on each type, all benchmarks together: difference in points.

    The unit is the prompt: its score is the share of its instructions of that type that are followed. p_bh:
    Benjamini-Hochberg over the types of a pair.
    """
    cells = {
        cell: rows.groupby(["seed", "key"]).strict.mean().unstack()
        for cell, rows in _scores(inputs, plan).groupby(["arm", "instruction_id"])
    }
    instruction_ids, tables = sorted({instruction_id for _, instruction_id in cells}), []
    pairs = [pair for pair in plan.pairs() if pair[1] in plan.against[:1]]
    for (arm, against), of_pair in zip(pairs, rng.spawn(len(pairs)), strict=True):
        rows = []
        for instruction_id, child in zip(instruction_ids, of_pair.spawn(len(instruction_ids)), strict=True):
            a, b = (cells.get((x, instruction_id)) for x in (arm, against))
            if a is not None and b is not None:
                how = dict(shared_seeds=plan.pairs_seeds(a, b), resamples=min(resamples, RESAMPLES))
                comparison = percent(stats.compare(a, b, rng=child, **how))
                rows.append(comparison | dict(arm=arm, against=against, instruction_id=instruction_id))
        adjusted = stats.benjamini_hochberg([row["p"] for row in rows])
        tables += [row | {"p_bh": p} for row, p in zip(rows, adjusted, strict=True)]
    table = pd.DataFrame(tables).rename(
        columns={"estimate": "difference", "n_seeds_a": "n_seeds", "n_seeds_b": "n_seeds_against"}
    )
    return table.reindex(columns=COMPARED.split())


def _scores(inputs: Inputs, plan: Question) -> pd.DataFrame:
    return inputs.scores[inputs.scores.decoding == plan.decoding].merge(inputs.test, on="key")
