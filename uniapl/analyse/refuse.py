"""What an analysis refuses, each with one line that names the file: it would be biased, or compare unlike with unlike.

Runs that are missing are no mistake: they have no rows, and the tables say so (coverage.py).
"""

from collections.abc import Iterable

import pandas as pd

from uniapl.analyse.inputs import Inputs, headline
from uniapl.errors import UserError

COMMON = {  # what every run of an analysis must have in common, and what to do where one has not
    "device": "train and generate all arms on one kind of device",
    "precision": "train all arms where bfloat16 is multiplied in hardware, or none of them there",
    "backend": "generate all arms with one backend",
    "checkers": "score all runs with one version of the checkers: run the stage score again",
}


def check_inputs(inputs: Inputs) -> None:
    """Raise UserError for scores that miss, repeat or add an instruction, for responses that miss or repeat a prompt of
    the headline's benchmark, for log-probabilities of fewer of these prompts than another run's (a scale may measure
    some of them alone), and for a mixture of devices, backends or versions of the checkers.
    """
    split = inputs.split
    check_scores(inputs.test, inputs.scores, split)
    responses, logprobs = inputs.responses, inputs.logprobs
    keys = set(headline(inputs, inputs.test).key)
    _check_coverage(headline(inputs, responses.assign(of="")), keys, f"generate/{split}", inputs.drawn)
    what = logprobs.text.astype(str) + " text under " + logprobs.under.astype(str)
    measured = headline(inputs, logprobs.assign(of=what))
    _check_coverage(measured, set(measured.key), f"generate/{split}", "logprobs.parquet")
    _check_comparable(inputs.provenance)


def check_scores(test: pd.DataFrame, scores: pd.DataFrame, split: str) -> None:
    """Raise UserError unless every run has every instruction of every prompt once, followed or not."""
    asked = zip(test.key, test.instructions, strict=True)
    expected = {(key, index) for key, instructions in asked for index in range(instructions)}
    for (arm, seed, decoding), run in scores.groupby(["arm", "seed", "decoding"]):
        where = f"score/{split}/{arm}/seed{seed}/{decoding}.csv"
        scored = list(zip(run.key, run["index"], strict=True))
        if len(scored) != len(expected) or set(scored) != expected:
            missing, odd = len(expected.difference(scored)), sorted(expected.symmetric_difference(scored))[:1]
            raise UserError(
                f"{where}: {len(scored)} rows; of {len(expected)} test instructions {missing} are missing "
                f"(first odd key and index: {odd or _repeated(scored)}); score this run again"
            )
        if not run[["strict", "loose"]].isin((0, 1)).all(axis=None):
            raise UserError(f"{where}: strict and loose must be 0 or 1")


def _check_coverage(rows: pd.DataFrame, keys: set[str], stage: str, file: str) -> None:
    """The rows of every run and every `what` have each wanted key once."""
    for (arm, seed, what), run in rows.groupby(["arm", "seed", "of"]):
        where = f"{stage}/{arm}/seed{seed}/{file}" + (f", {what}" if what else "")
        if run.key.duplicated().any():
            raise UserError(f"{where}: key {_repeated(run.key)} is there twice; generate this run again")
        if odd := sorted(keys.symmetric_difference(run.key)):
            raise UserError(
                f"{where}: {len(run)} of {len(keys)} prompts (first odd key: {odd[0]}); generate this run again"
            )


def _repeated(values: Iterable):
    seen = set()
    return next(value for value in values if value in seen or seen.add(value))


def _check_comparable(provenance: pd.DataFrame) -> None:
    """One device, backend and version of the checkers, where they are known."""
    for name, remedy in COMMON.items():
        known = provenance[provenance[name].notna()]
        first = known[name].iloc[0] if len(known) else None
        other = known[known[name] != first]
        if len(other):
            a, b = (f"{row.arm}/seed{row.seed} has {name} {row[name]}" for row in (known.iloc[0], other.iloc[0]))
            raise UserError(f"{a} and {b}: they cannot be compared; {remedy}")
