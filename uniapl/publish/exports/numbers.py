"""What every export says: the accuracies of a published set with their intervals, and the prompts behind them."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from uniapl.analyse.accuracy import METRICS
from uniapl.errors import UserError
from uniapl.jsonl import read_json, read_jsonl
from uniapl.publish import rows as evidence
from uniapl.publish.files import contradictions
from uniapl.publish.verify import read_manifest

RESAMPLES = 9999  # of the bootstrap behind every interval (uniapl.stats)


@dataclass(frozen=True)
class Number:
    """An accuracy in percent with its 95 % interval: an arm on a benchmark, greedy, over its seeds."""

    arm: str
    benchmark: str
    metric: str
    estimate: float
    low: float
    high: float
    n_seeds: int
    n_prompts: int
    method: str


@dataclass(frozen=True)
class Set:
    """A published set: its folder, manifest, SHA-256 of its test prompts, numbers and run cards."""

    folder: Path
    manifest: dict
    prompts: str
    numbers: list[Number]
    cards: list[dict]

    @property
    def arms(self) -> list[str]:
        """In the order of the experiments."""
        return list(dict.fromkeys(number.arm for number in self.numbers))

    def of(self, arm: str) -> list[Number]:
        return [number for number in self.numbers if number.arm == arm]


def read(folder: Path) -> Set:
    """The set. Raises UserError where a file is not the manifest's, and where no analysis has an accuracy.

    An arm of several experiments has the numbers of the first.
    """
    manifest = read_manifest(folder)
    for problem in contradictions(folder, manifest):
        raise UserError(f"{problem}; verify the set first")
    frames = []
    for name in manifest["experiments"]:
        frame = pd.read_csv(folder / "analyse" / name / "main.csv")
        frames.append(frame[(frame.decoding == "greedy") & frame.metric.isin(METRICS)])
    table = pd.concat(frames or [pd.DataFrame()], ignore_index=True)
    if table.empty:
        raise UserError(f"{folder}: no accuracy in analyse/*/main.csv: nothing to export")
    table = table.drop_duplicates(["arm", "benchmark", "metric"])[[field.name for field in fields(Number)]]
    numbers = [Number(**{str(name): value for name, value in row.items()}) for row in table.to_dict("records")]
    digest = read_json(folder / "data.json", ("sha256",))["sha256"].get("test.jsonl", "unknown")
    return Set(folder, manifest, digest, numbers, read_jsonl(folder / "runs.jsonl"))


def verdicts(set_: Set, arm: str) -> pd.DataFrame:
    """A row per seed, prompt and benchmark of an arm, greedy: METRICS as shares of the prompt's instructions."""
    rows = evidence.read(set_.folder / "rows")
    scores = rows.scores[(rows.scores.arm == arm) & (rows.scores.decoding == "greedy")]
    by_prompt = scores.groupby(["seed", "key"], as_index=False).agg(
        prompt_strict=("strict", "min"),
        inst_strict=("strict", "mean"),
        prompt_loose=("loose", "min"),
        inst_loose=("loose", "mean"),
    )
    return by_prompt.merge(rows.test, on="key").sort_values(["benchmark", "seed", "key"], ignore_index=True)


def model_name(set_: Set, arm: str) -> str:
    """The name under which others find the arm: scale and arm, without what a path or a hub id may not hold."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{set_.manifest['scale']}-{arm}")
