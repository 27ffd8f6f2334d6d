"""What analyse reads: the plan of an experiment, and the files of its runs as one record."""

import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from uniapl.config import SAMPLED, Claim, decodings_of
from uniapl.config.card import NO_DEVICE, SPENT
from uniapl.errors import UserError
from uniapl.jsonl import read_json, read_jsonl
from uniapl.provenance import checksums

HEADLINE = "trained"  # the benchmark of the headline family and of the distances to the expert
SPENDING = ("start_arm", "cost")  # of a run card: what `records` reads
PROVENANCE = [
    "arm",
    "seed",
    "device",
    "precision",
    "backend",
    "checkers",
]  # of every scored run, None where it is not known
MEASURED = ("peak_memory_mb", "energy_wh")  # where the run card has them


@dataclass(frozen=True)
class Question:
    """What the experiment asks: arms in their order, the comparators among them, the headline's decoding.

    `seeds`: those planned for each arm; an arm without an entry is complete with what is found of it.
    `stated`: claim id -> the claim's fields when its runs were first analysed, of claims withdrawn since too.
    `shared_seeds`: all arms of a seed start from one base, and the arms of another seed from another.
    """

    arms: tuple[str, ...]
    against: tuple[str, ...]
    decoding: str = "greedy"
    claims: tuple[Claim, ...] = ()
    seeds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    stated: Mapping[str, Mapping] = field(default_factory=dict)
    shared_seeds: bool = False

    def pairs(self) -> list[tuple[str, str]]:
        """(arm, against): every arm with every comparator, each pair once, never an arm with itself."""
        pairs: list[tuple[str, str]] = []
        for against, arm in itertools.product(self.against, self.arms):
            if arm != against and (against, arm) not in pairs:
                pairs.append((arm, against))
        return pairs

    def pairs_seeds(self, a: pd.DataFrame, b: pd.DataFrame) -> bool:
        """Whether the scores of two arms, a row per seed, are compared seed by seed: where both have the same seeds."""
        return self.shared_seeds and a.index.equals(b.index)


@dataclass(frozen=True)
class Inputs:
    """All that `analyse` reads. Keys are strings, frames of runs have arm and seed, row order is free."""

    test: pd.DataFrame  # key, benchmark, instructions (their number)
    expert: pd.DataFrame  # key, response
    scores: pd.DataFrame  # arm, seed, decoding, key, index, instruction_id, strict, loose
    responses: pd.DataFrame  # arm, seed, key, response: sampled at temperature 1, nothing cut off
    logprobs: pd.DataFrame  # arm, seed, key, text, under, logprobs (one float per token)
    history: pd.DataFrame  # arm, seed, step and any numeric columns
    runs: pd.DataFrame  # arm, seed, start, SPENT, MEASURED
    provenance: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PROVENANCE))
    split: str = "test"
    drawn: str = "sampled.parquet"  # the file that `responses` are from


def headline(inputs: Inputs, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the headline benchmark's prompts."""
    return rows[rows.key.isin(inputs.test.key[inputs.test.benchmark == HEADLINE])]


def load(root: Path, seeds: Mapping[str, Sequence[int]], split: str = "test") -> Inputs:
    """Read what exists of the planned runs (arm -> seeds) under a results folder; stderr names what does not.

    Raises UserError for an absent prompts file, a file without a column it should have, and for no scores.
    """
    expert = root / "data/expert.jsonl"
    drawn, decodings = measured(root, split), decodings_of(split)
    test = _read(root / f"data/{split}.jsonl", "key benchmark instruction_id_list")
    columns = "key index instruction_id strict loose"
    by_decoding = {d: _runs(root, f"score/{split}", f"{d}.csv", columns, seeds) for d in decodings}
    scores = pd.concat([rows.assign(decoding=d) for d, rows in by_decoding.items()], ignore_index=True)
    if scores.empty:
        raise UserError(f"{root}/score: no scores of {', '.join(seeds)}; run the stages up to score first")
    return Inputs(
        test=test.assign(instructions=test.instruction_id_list.map(len))[["key", "benchmark", "instructions"]],
        expert=_read(expert, "key response") if expert.is_file() else pd.DataFrame(columns=["key", "response"]),
        scores=scores[["arm", "seed", "decoding", *columns.split()]],
        responses=_runs(root, f"generate/{split}", drawn, "key response", seeds if SAMPLED in decodings else {}),
        logprobs=_runs(root, f"generate/{split}", "logprobs.parquet", "key text under logprobs", seeds),
        history=_runs(root, "train", "history.csv", "step", seeds),
        runs=records(lambda arm, seed: _card(root / f"train/{arm}/seed{seed}/run.json", SPENDING), seeds),
        provenance=provenance_by_run(
            (run, run_provenance(root, split, *run)) for run in set(zip(scores.arm, scores.seed, strict=True))
        ),
        split=split,
        drawn=drawn,
    )


def measured(root: Path, split: str) -> str:
    """The file of responses that say what a policy's distribution is: `sampled` is one only where no run has another,
    because a scale whose sampling cuts the distribution draws `on_policy` too (uniapl/config/model.py, Evaluation)."""
    own = "on_policy.parquet"
    return own if any(root.glob(f"generate/{split}/*/seed*/{own}")) else "sampled.parquet"


def run_provenance(root: Path, split: str, arm: str, seed: int) -> dict:
    """What is known of one run: device and number format, by its card; backend, by generate's harness.json
    (transformers where that names none); the version of its checkers, by score's checkers.json."""
    card = _card(root / f"train/{arm}/seed{seed}/run.json") or {}
    harness = _card(root / f"generate/{split}/{arm}/seed{seed}/harness.json")
    scored = _card(root / f"score/{split}/{arm}/seed{seed}/checkers.json") or {}
    provenance = {"device": card.get("device"), "precision": card.get("precision"), "checkers": scored.get("checkers")}
    provenance["backend"] = None if harness is None else harness.get("backend", "transformers")
    return {name: value for name, value in provenance.items() if value}


def provenance_by_run(facts: Iterable[tuple[tuple[str, int], Mapping]]) -> pd.DataFrame:
    """PROVENANCE, a row per run. The device is `cpu` or `gpu`: two GPUs of one cluster may differ in name."""
    rows = {}
    for run, fact in sorted(dict(facts).items()):
        device = fact.get("device") or NO_DEVICE
        processor = None if device == NO_DEVICE else "cpu" if device.startswith("cpu") else "gpu"
        others = (fact.get(name) for name in PROVENANCE[3:])
        rows[run] = dict(zip(PROVENANCE, (*run, processor, *others), strict=True))
    return pd.DataFrame(rows.values(), columns=PROVENANCE)


def _runs(root: Path, stage: str, name: str, columns: str, seeds: Mapping) -> pd.DataFrame:
    """One file of every run that has it, with arm and seed; the runs that lack it are named on stderr."""
    frames, missing = [], []
    for run, seed in ((arm, seed) for arm in seeds for seed in seeds[arm]):
        path = root / stage / run / f"seed{seed}" / name
        if path.is_file():
            frames.append(_read(path, columns).assign(arm=run, seed=seed))
        else:
            missing.append(f"{run}/seed{seed}")
    if missing:
        print(f"{root / stage}: no {name}, left out: {', '.join(missing)}", file=sys.stderr)
    return pd.concat(frames or [pd.DataFrame(columns=["arm", "seed", *columns.split()])], ignore_index=True)


def _read(path: Path, columns: str) -> pd.DataFrame:
    """A CSV, Parquet or JSON Lines file with at least these columns; `key` as a string."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the stage {path.parent.name} first")
    if path.suffix == ".jsonl":
        table = pd.DataFrame(read_jsonl(path))
    else:
        checksums.check(path)
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    if absent := set(columns.split()) - set(table.columns):
        raise UserError(f"{path}: no column {', '.join(sorted(absent))}; it has {', '.join(table.columns)}")
    return table.assign(key=table.key.astype(str)) if "key" in table else table


def _card(path: Path, keys: Iterable[str] = ()) -> dict | None:
    return read_json(path, keys) if path.is_file() else None


def records(card: Callable[[str, int], dict | None], seeds: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """What every run and the runs it starts from, which need not be arms of the experiment, spent, by their cards."""
    todo, rows = [(arm, seed) for arm in seeds for seed in seeds[arm]], {}
    while todo:
        arm, seed = todo.pop()
        if (arm, seed) not in rows and (run := card(arm, seed)):
            rows[arm, seed] = dict(arm=arm, seed=seed, start=run["start_arm"]) | run["cost"]
            todo.append((run["start_arm"], seed))
    return pd.DataFrame(rows.values(), columns=["arm", "seed", "start", *SPENT, *MEASURED])
