"""The rows behind a set of results: small enough to be published, enough to compute its analyses again.

    rows/test, expert          the prompts with their number of instructions; the expert's responses
    rows/scores                one row per instruction of every response: strict, loose
    rows/pairs, by_seed        what the responses' texts and log-probabilities came to, per prompt and per run
    rows/history               every training's log

All are Parquet. With the run cards they give every table of an analysis but `logprobs`, the histogram of single tokens.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from uniapl.analyse import measures
from uniapl.analyse.inputs import Inputs, load, provenance_by_run, records
from uniapl.errors import UserError


@dataclass(frozen=True)
class Evidence:
    """Frames as in `Inputs`, and of the responses what `measures` makes of them."""

    test: pd.DataFrame
    expert: pd.DataFrame
    scores: pd.DataFrame
    pairs: pd.DataFrame
    by_seed: pd.DataFrame
    history: pd.DataFrame

    def inputs(self, seeds: Mapping[str, Sequence[int]], cards: Mapping[tuple[str, int], dict]) -> Inputs:
        """What `analyse` would read of these runs (arm -> seeds), without their texts and log-probabilities."""
        return Inputs(
            test=self.test,
            expert=self.expert,
            scores=rows_of_runs(self.scores, seeds),
            responses=pd.DataFrame(columns=["arm", "seed", "key", "response"]),
            logprobs=pd.DataFrame(columns=["arm", "seed", "key", "text", "under", "logprobs"]),
            history=rows_of_runs(self.history, seeds),
            runs=records(lambda arm, seed: cards.get((arm, seed)), seeds),
            provenance=provenance_by_run((run, cards[run]) for run in cards if run[1] in seeds.get(run[0], ())),
        )


def again(evidence: Evidence) -> Evidence:
    """The evidence, with what of `by_seed` follows from its other frames computed again."""
    return dataclasses.replace(
        evidence, by_seed=measures.by_seed_again(evidence.by_seed, evidence.pairs, evidence.history)
    )


def rows_of_runs(frame: pd.DataFrame, seeds: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """The rows of these runs (arm -> seeds)."""
    masks = [frame.seed.isin(list(of_arm)) & (frame.arm == arm) for arm, of_arm in seeds.items()]
    return frame[np.logical_or.reduce(masks)].reset_index(drop=True)


def gather(root: Path, seeds: Mapping[str, Sequence[int]]) -> Evidence:
    """The evidence of these runs (arm -> seeds) under a results folder. Raises UserError like `load`."""
    inputs = load(root, seeds)
    pairs = measures.pairs(inputs)
    by_seed = measures.by_seed(inputs, pairs)
    return Evidence(inputs.test, inputs.expert, inputs.scores, pairs, by_seed, inputs.history)


def write(evidence: Evidence, folder: Path) -> None:
    """One Parquet file per frame, its words as dictionaries."""
    folder.mkdir(parents=True)
    for field in dataclasses.fields(evidence):
        getattr(evidence, field.name).to_parquet(folder / f"{field.name}.parquet", compression="zstd", index=False)


def read(folder: Path) -> Evidence:
    """What `write` wrote. Raises UserError for a file that is missing or no Parquet."""
    frames = {}
    for field in dataclasses.fields(Evidence):
        path = folder / f"{field.name}.parquet"
        try:
            frames[field.name] = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: {error}") from error
    return Evidence(**frames)
