"""What training was like, and what it cost: curves in long form, and sums along the chain of runs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from uniapl.analyse.inputs import MEASURED, SPENT, Question
from uniapl.config.metrics import curve_names

KEYS = ["arm", "seed", "step"]
EVERY = 5  # steps: of what is logged at each step, curves keeps every fifth and the last


def curves(history: pd.DataFrame) -> pd.DataFrame:
    """Long form of the metrics that are curves, six digits; the step counts within the arm's own training.

    Every probe; of what is logged at each step only every fifth step and the last.
    """
    curves = history.melt(KEYS, curve_names(history.columns.drop(KEYS)), var_name="quantity", value_name="value")
    last = curves.step == curves.groupby(["arm", "seed"]).step.transform("max")
    shown_steps = curves.quantity.str.startswith("probe_") | (curves.step % EVERY == 0) | last
    curves = curves[shown_steps]
    curves = curves.assign(value=pd.to_numeric(curves.value)).dropna(subset="value")
    curves = curves.assign(value=[float(f"{value:.6g}") for value in curves.value])
    return curves.sort_values(["arm", "seed", "quantity", "step"])


def cost(runs: pd.DataFrame, plan: Question) -> pd.DataFrame:
    """Mean over seeds of what a run and its starts spent together; the base, shared by all arms, is free.

    Memory: the largest peak along the chain. Energy: blank unless every run of a chain has it measured. A run with an
    unrecorded start is left out: its cost is unknown.
    """
    by_run = {(run["arm"], run["seed"]): run for run in runs.to_dict("records")}
    rows = []
    for arm in plan.arms:
        chains = [_chain(by_run, arm, seed) for name, seed in sorted(by_run) if name == arm]
        if complete := [pd.DataFrame(chain).reindex(columns=[*SPENT, *MEASURED]) for chain in chains if chain]:
            summed = [*SPENT, "energy_wh"]
            spent = pd.DataFrame([chain[summed].sum(skipna=False) for chain in complete]).mean(skipna=False)
            peak = np.mean([chain.peak_memory_mb.max() for chain in complete])
            rows.append({"arm": arm, **spent, "peak_memory_mb": peak, "n_seeds": len(complete)})
    return pd.DataFrame(rows, columns=["arm", *SPENT, *MEASURED, "n_seeds"])


def _chain(by_run: Mapping, arm: str, seed: int) -> list[dict]:
    """The records of a run and its starts at the same seed, without the base; empty where one is missing."""
    chain = []
    while arm and arm != "base":
        if (arm, seed) not in by_run:
            return []
        chain.append(by_run[arm, seed])
        arm = chain[-1]["start"]
    return chain
