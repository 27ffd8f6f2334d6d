"""Ablations of one set of results: what each arm changes of UniAPL or of GRPO, and what that did to accuracy."""

from pathlib import Path

import pandas as pd

from uniapl.analyse.accuracy import of_pair
from uniapl.analyse.inputs import HEADLINE
from uniapl.config import load_experiment
from uniapl.provenance import checksums
from uniapl.tables import View, hyperparameters
from uniapl.tables.captions import ALPHA, interval, seeds
from uniapl.tables.columns import MISSING

EXPERIMENTS = ("terms", "reward_shaping", "lambda_sweep", "mu_schedule", "discriminators")
FOUND = "estimate low high n_seeds n_prompts".split()
DIFFERENCE = ["difference", "difference_low", "difference_high", "p_holm"]
COLUMNS = ["experiment", "arm", "changes", *FOUND, "against", *DIFFERENCE]


def ablations(root: Path, values: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS: each arm of EXPERIMENTS on the trained types (%), and its difference to the experiment's first
    comparator (points), in the experiment's decoding; without numbers where it was not analysed.

    `values`: as hyperparameters.read makes it, for what an arm changes of its trainer's settings.
    """
    changes = {row[0]: row[3] for row in hyperparameters.view_arms(hyperparameters.arms(values)).rows}
    rows = []
    for name in EXPERIMENTS:
        experiment, folder = load_experiment(name), root / "analyse" / name
        main, compared = (_rows(folder / f"{table}.csv", experiment.decoding) for table in ("main", "comparisons"))
        for arm in dict.fromkeys([*(arm.name for arm in experiment.arms), experiment.against[0]]):
            row = dict(experiment=name, arm=arm, changes=changes.get(arm), against=experiment.against[0])
            for _, estimates in main[main.arm == arm].iterrows():
                row |= estimates[FOUND].to_dict()
            row |= _difference(compared, arm, experiment.against[0])
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(path: Path, decoding: str) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame(columns=["arm", "against"])
    checksums.check(path)
    frame = pd.read_csv(path)
    headline = (frame.metric == "prompt_strict") & (frame.benchmark == HEADLINE) & (frame.decoding == decoding)
    return frame[headline]


def _difference(compared: pd.DataFrame, arm: str, against: str) -> dict:
    """The comparison of the two, empty where there is none."""
    for _, row in of_pair(compared, arm, against).iterrows():
        return dict(zip(DIFFERENCE, (row.difference, row.low, row.high, row.p_holm), strict=True))
    return {}


def view_ablations(text: pd.DataFrame) -> View:
    """One row per arm, grouped by experiment and comparator."""
    rows = []
    for _, row in text.iterrows():
        bounds = f"{row.difference} [{row.difference_low}, {row.difference_high}]" if row.difference else ""
        mark = "*" if row.p_holm and float(row.p_holm) < ALPHA else ""
        group = f"{row.experiment}: against {row.against}"
        rows.append([group, row.arm, row.changes, interval(row, "estimate") or MISSING, bounds + mark, row.n_seeds])
    with_seeds = text[text.n_seeds != ""]
    prompts = ", ".join(dict.fromkeys(with_seeds.n_prompts))
    counts = f"n = {prompts} prompts; seeds per arm: {seeds(with_seeds)}." if prompts else "None of them was run."
    caption = (
        "Ablations: prompt-level strict accuracy on the trained types, in %, and the difference to the comparator of "
        "the experiment, in points, with 95 % interval, hierarchical bootstrap over seeds and prompts; *: p below "
        f"{ALPHA} after Holm's adjustment for all comparisons of the experiment. Changes: against the usual settings "
        f"of the arm's trainer (table settings). {counts}"
    )
    head = "experiment|arm|changes|prompts followed (%)|minus comparator (points)|seeds"
    return View(caption, head.split("|"), rows, {"changes": 0.36}, grouped=True)
