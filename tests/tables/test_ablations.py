"""The table of ablations: what an arm changes, its accuracy, and its difference to the comparator, turned or not."""

import pandas as pd

from uniapl.config import load_experiment
from uniapl.tables import rounded
from uniapl.tables.ablations import EXPERIMENTS, ablations, view_ablations
from uniapl.tables.hyperparameters import COLUMNS

CELL = dict(benchmark="trained", decoding="greedy", metric="prompt_strict", n_seeds=3, n_prompts=384)
VALUES = [
    ("lambda_1", "baselines.uniapl", "base", "lam", "1", "0.1", "experiments: lambda_sweep", True),
    ("chord", "baselines.uniapl", "base", "lam", "0", "0.1", "experiments: unified", True),
]


def table(root) -> pd.DataFrame:
    """Of a set in which lambda_sweep was analysed, two of its arms, and nothing else."""
    folder = root / "analyse/lambda_sweep"
    folder.mkdir(parents=True)
    main = [CELL | dict(arm="chord", estimate=66.14, low=59, high=73.5), CELL | dict(arm="lambda_1", estimate=51.6)]
    main.append(CELL | dict(arm="chord", benchmark="new_types", estimate=1.0, low=0, high=2))
    pd.DataFrame(main).to_csv(folder / "main.csv", index=False)
    pair = CELL | dict(arm="chord", against="lambda_1", difference=14.56, low=6.2, high=23.8, p_holm=0.0012)
    pd.DataFrame([pair]).to_csv(folder / "comparisons.csv", index=False)
    return ablations(root, pd.DataFrame(VALUES, columns=COLUMNS))


def test_every_arm_of_every_ablation_has_a_row_and_missing_ones_say_so(tmp_path):
    found = table(tmp_path)
    arms = [(name, arm.name) for name in EXPERIMENTS for arm in load_experiment(name).arms]
    assert [(r.experiment, r.arm) for r in found.itertuples()] == arms
    view = view_ablations(rounded("ablations", found))
    shown = {(row[0], row[1]): row[2:] for row in view.rows}
    chord = shown["lambda_sweep: against chord", "chord"]
    assert chord == ["lam 0 (else 0.1)", "66.1 [59.0, 73.5]", "", "3"]
    # The comparison is stored as chord minus lambda_1: turned, with its bounds.
    turned = shown["lambda_sweep: against chord", "lambda_1"]
    assert turned == ["lam 1 (else 0.1)", "51.6", "-14.6 [-23.8, -6.2]*", "3"]
    assert shown["terms: against uniapl", "luffy"] == ["", "missing", "", ""]
    assert "n = 384 prompts; seeds per arm: 3." in view.caption
