"""A local and a published set of one analysed experiment, which differ in known ways."""

import json
from pathlib import Path

import pandas as pd

from support.analysis_files import COMPARISON, MAIN
from uniapl.analyse import accuracy

HEAD = [*accuracy.CELL, *accuracy.FOUND]


def write(root, main, comparisons=(COMPARISON,), test="a"):
    """A set with one analysed experiment."""
    folder = root / "analyse/headline"
    folder.mkdir(parents=True)
    pd.DataFrame(main, columns=HEAD).to_csv(folder / "main.csv", index=False)
    pd.DataFrame(comparisons).to_csv(folder / "comparisons.csv", index=False)
    name = "data/summary.json" if root.parent.name == "local" else "data.json"
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(json.dumps({"sha256": {"test.jsonl": test}}))
    return root


def local_and_published(folder: Path) -> list[Path]:
    """Published: MAIN. Local: base 30 instead of 28.125, grpo 55 instead of 46.4876, and sft that is not published."""
    local = [(*MAIN[0][:4], 30.0, *MAIN[0][5:]), (*MAIN[2][:4], 55.0, 50.0, 60.0, *MAIN[2][7:])]
    local.append(("sft", *MAIN[2][1:]))
    closer = COMPARISON | dict(difference=-2.0, low=-9.0, high=5.0)
    return [
        write(folder / "local/tiny", local, [closer]),
        write(folder / "published/tiny", MAIN),
    ]
