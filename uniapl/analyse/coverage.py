"""Which planned runs an analysis has: what is missing is named, so that no table shows it as a number."""

import pandas as pd

from uniapl.analyse.inputs import Inputs, Question

COLUMNS = "arm comparator n_planned n_seeds missing"


def planned_runs(inputs: Inputs, plan: Question) -> pd.DataFrame:
    """One row per planned arm: is it a comparator, seeds planned and scored, the seeds that are missing."""
    rows = []
    for arm in plan.arms:
        scored = set(inputs.scores.seed[inputs.scores.arm == arm])
        planned = set(plan.seeds.get(arm, scored))
        missing = ", ".join(str(seed) for seed in sorted(planned - scored))
        rows.append((arm, arm in plan.against, len(planned), len(scored), missing or None))
    return pd.DataFrame(rows, columns=COLUMNS.split())
