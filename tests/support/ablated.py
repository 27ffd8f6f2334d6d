"""The table of ablations of a set in which two arms of one experiment were analysed."""

from pathlib import Path

import pandas as pd

from uniapl.tables.ablations import ablations
from uniapl.tables.hyperparameters import COLUMNS

CELL = dict(benchmark="trained", decoding="greedy", metric="prompt_strict", n_seeds=3, n_prompts=384)
VALUES = [
    ("lambda_1", "baselines.uniapl", "base", "lam", "1", "0.1", "experiments: lambda_sweep", True),
    ("chord", "baselines.uniapl", "base", "lam", "0", "0.1", "experiments: unified", True),
]


def ablations_of_two_arms(root: Path) -> pd.DataFrame:
    """Of a set in which lambda_sweep was analysed, two of its arms, and nothing else."""
    folder = root / "analyse/lambda_sweep"
    folder.mkdir(parents=True)
    main = [CELL | dict(arm="chord", estimate=66.14, low=59, high=73.5), CELL | dict(arm="lambda_1", estimate=51.6)]
    main.append(CELL | dict(arm="chord", benchmark="new_types", estimate=1.0, low=0, high=2))
    pd.DataFrame(main).to_csv(folder / "main.csv", index=False)
    pair = CELL | dict(arm="chord", against="lambda_1", difference=14.56, low=6.2, high=23.8, p_holm=0.0012)
    pd.DataFrame([pair]).to_csv(folder / "comparisons.csv", index=False)
    return ablations(root, pd.DataFrame(VALUES, columns=COLUMNS))
