"""Published sets of a few rows of the one of scale tiny, sealed, so that two of them can be held against each other."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from support.published_set import PUBLISHED, seal

ARMS, SEEDS = ("grpo", "uniapl", "sft"), (0, 1)


def write(folder: Path, edit: Callable[[pd.DataFrame], None] = lambda scores: None, **of_cards) -> Path:
    """A set of three arms at two seeds; `edit` changes its scores, `of_cards` are fields of all its cards."""
    (folder / "rows").mkdir(parents=True)
    for path in (PUBLISHED / "rows").glob("*.parquet"):
        frame = pd.read_parquet(path)
        if path.stem == "general":  # the general benchmarks ask other arms
            continue
        if "arm" in frame:
            frame = frame[frame.arm.isin(ARMS) & frame.seed.isin(SEEDS)].reset_index(drop=True)
        if path.stem == "scores":
            edit(frame)
        frame.to_parquet(folder / "rows" / path.name, index=False)
    cards = [json.loads(line) for line in (PUBLISHED / "runs.jsonl").read_text().splitlines()]
    cards = [card | of_cards for card in cards if card["arm"] in ARMS and card["seed"] in SEEDS]
    (folder / "runs.jsonl").write_text("".join(json.dumps(card) + "\n" for card in cards))
    shutil.copy(PUBLISHED / "data.json", folder)
    seal(folder)
    return folder
