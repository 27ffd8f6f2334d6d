"""The tables of `mixtures` in a set of results: the pipeline, one method above the base, and two claims."""

from pathlib import Path

import pandas as pd

from support.analysis_files import CLAIM
from uniapl.analyse.summary import COLUMNS

PIPELINE = "sft_then_grpo"
SUMMARY = [
    ("base", "trained", "greedy", 28.1, 24.0, 32.0, PIPELINE, -34.9, -40.0, -30.0, 0.0004, "new_types", 20.0, 16.0)
    + (24.0, None, None, None, 192, None, None, None, None, None, 1, 384),
    (PIPELINE, "trained", "greedy", 63.0, 59.0, 67.0, *[None] * 5, "new_types", 10.2, 7.0, 13.0, -9.8, -14.0)
    + (-5.0, 192, 600000, 900000, 205.0, None, None, 5, 384),
    ("luffy", "trained", "greedy", 61.5, 58.0, 65.0, PIPELINE, -1.5, -6.0, 3.0, 0.5, "new_types", 22.0, 18.0, 26.0)
    + (2.0, -3.0, 7.0, 192, 900000, 900000, 300.4, "not decided", "contradicted", 5, 384),
]
OF_LUFFY = CLAIM | dict(arm="luffy", against=PIPELINE, source="ours")
CLAIMS = [
    OF_LUFFY | dict(id="mixtures-luffy-trained", benchmark="trained", verdict="not decided"),
    OF_LUFFY | dict(id="mixtures-luffy-new_types", benchmark="new_types", verdict="supported"),
]


def write(root: Path) -> None:
    """The analysis's folder, and the tables `summary` and `claims`, below `root`."""
    (root / "analyse/mixtures").mkdir(parents=True)
    folder = root / "tables/mixtures"
    folder.mkdir(parents=True)
    pd.DataFrame(SUMMARY, columns=COLUMNS).to_csv(folder / "summary.csv", index=False)
    pd.DataFrame(CLAIMS).to_csv(folder / "claims.csv", index=False)
