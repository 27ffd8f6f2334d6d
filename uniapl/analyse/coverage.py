"""Which planned runs an analysis has: what is missing is named, so that no table shows it as a number."""

import pandas as pd

from uniapl.analyse.inputs import Inputs, Question

COLUMNS = "arm comparator n_planned n_seeds seeds missing"


def planned_runs(inputs: Inputs, plan: Question) -> pd.DataFrame:
    """One row per planned arm: is it a comparator, how many seeds are planned and scored, which are, which are not."""
    rows = []
    for arm in plan.arms:
        scored = set(inputs.scores.seed[inputs.scores.arm == arm])
        planned = set(plan.seeds.get(arm, scored))
        seeds, missing = (", ".join(map(str, sorted(of_arm))) or None for of_arm in (scored, planned - scored))
        rows.append((arm, arm in plan.against, len(planned), len(scored), seeds, missing))
    return pd.DataFrame(rows, columns=COLUMNS.split())
