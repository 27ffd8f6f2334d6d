"""Accuracy, in percent and points: of every arm, between every pair of arms, and by instruction type."""

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from uniapl import stats
from uniapl.analyse.inputs import Inputs, Question
from uniapl.config import DECODINGS

METRICS = ("prompt_strict", "inst_strict", "prompt_loose", "inst_loose")
CELL = ("arm", "benchmark", "decoding", "metric")
PREDICTED = ("predict_low", "predict_high")  # 95 % prediction interval of a rerun with as many other seeds
FOUND = f"estimate low high {' '.join(PREDICTED)} n_seeds n_prompts method".split()
COMPARED = f"""arm against benchmark metric decoding difference low high seed_low seed_high {" ".join(PREDICTED)}
    p p_holm p_seeds mcnemar_p effect detectable n_seeds n_seeds_against n_prompts family method"""
EXCHANGED = {"arm": "against", "low": "high", "seed_low": "seed_high", "n_seeds": "n_seeds_against"}
EXCHANGED |= {PREDICTED[0]: PREDICTED[1]}
EXCHANGED |= {new: old for old, new in EXCHANGED.items()}  # between a difference and the same one from B's side
SIGNED = ("difference", "low", "high", "seed_low", "seed_high", *PREDICTED, "effect")
Cells = Mapping[tuple[str, str, str], Mapping[str, pd.DataFrame]]  # arm, benchmark, decoding -> column -> seeds x keys


def per_prompt(inputs: Inputs) -> Cells:
    """Is all of a prompt followed (0/1), and how many of its instructions are, by METRICS; and how many it has."""
    prompts = inputs.scores.groupby(["arm", "seed", "decoding", "key"], as_index=False).agg(
        prompt_strict=("strict", "min"),
        prompt_loose=("loose", "min"),
        inst_strict=("strict", "sum"),
        inst_loose=("loose", "sum"),
    )
    cells = prompts.merge(inputs.test, on="key").groupby(["arm", "benchmark", "decoding"])
    return {cell: _wide(rows, [*METRICS, "instructions"]) for cell, rows in cells}


def _wide(rows: pd.DataFrame, columns: list[str]) -> dict[str, pd.DataFrame]:
    """Each column's seeds x keys, cut out of one pivot: a frame of (column, key) takes milliseconds to look into."""
    wide = rows.pivot(index="seed", columns="key", values=columns)
    n = wide.shape[1] // len(columns)
    parts = ((name, wide.iloc[:, i * n : (i + 1) * n]) for i, name in enumerate(columns))
    return {name: part.set_axis(part.columns.droplevel(0), axis=1) for name, part in parts}


def matrix(prompts: Cells, arm: str, benchmark: str, decoding: str, column: str) -> pd.DataFrame:
    """Seeds x keys, both sorted; empty where the arm has no run."""
    return prompts[arm, benchmark, decoding][column] if (arm, benchmark, decoding) in prompts else pd.DataFrame()


def accuracies(prompts: Cells, plan: Question, names: list[str], rng, resamples: int) -> pd.DataFrame:
    cells, rows = list(itertools.product(plan.arms, names, DECODINGS, METRICS)), []
    for cell, child in zip(cells, rng.spawn(len(cells)), strict=True):
        num, den = (matrix(prompts, *cell[:3], column) for column in (cell[3], "instructions"))
        if not num.empty:
            den = den if cell[3].startswith("inst") else None  # instructions come in clusters: prompts
            share = stats.interval(num, den, rng=child, resamples=resamples)
            again = stats.predict_mean(num, den)
            rows.append(dict(zip(CELL, cell, strict=True)) | percent(share) | predicted(again))
    return pd.DataFrame(rows, columns=[*CELL, *FOUND])


def comparisons(prompts: Cells, plan: Question, names: list[str], rng, resamples: int) -> pd.DataFrame:
    """One Holm family per decoding and benchmark: all pairs of the plan, whether or not their runs exist."""
    pairs, rows = plan.pairs(), []
    decodings = sorted(DECODINGS, key=lambda name: name != plan.decoding)
    families = list(itertools.product(decodings, names))
    for (decoding, benchmark), of_family in zip(families, rng.spawn(len(families)), strict=True):
        cell = dict(benchmark=benchmark, decoding=decoding, metric="prompt_strict")
        cell["family"] = f"prompt_strict, {decoding}, {benchmark}: {len(pairs)} comparisons"
        of_cell = []
        for (arm, against), child in zip(pairs, of_family.spawn(len(pairs)), strict=True):
            a, b = (matrix(prompts, x, benchmark, decoding, "prompt_strict") for x in (arm, against))
            if not a.empty and not b.empty:
                shared = plan.pairs_seeds(a, b)
                row = percent(stats.compare(a, b, rng=child, shared_seeds=shared, resamples=resamples))
                row |= predicted(stats.predict_difference(a, b, shared_seeds=shared))
                of_cell.append(row | cell | dict(arm=arm, against=against, mcnemar_p=_mcnemar(a, b)))
        adjusted = stats.holm([row["p"] for row in of_cell], family=len(pairs))
        rows += [row | {"p_holm": p} for row, p in zip(of_cell, adjusted, strict=True)]
    table = pd.DataFrame(rows).rename(columns={"estimate": "difference", "n_seeds_a": "n_seeds"})
    return table.rename(columns={"n_seeds_b": "n_seeds_against"}).reindex(columns=COMPARED.split())


def minus(compared: pd.DataFrame, plan: Question) -> pd.DataFrame:
    """Rows for `main`, metric `prompt_strict minus <comparator>`: the differences of `comparisons` in the plan's
    decoding, for every arm against the first two comparators."""
    here, rows = compared[compared.decoding == plan.decoding], []
    for against in plan.against[:2]:
        rows += [of_pair(here, x, against).assign(metric=f"prompt_strict minus {against}") for x in plan.arms]
    differences = pd.concat(rows) if rows else compared
    return differences.rename(columns={"difference": "estimate"})[[*CELL, *FOUND]]


def of_pair(compared: pd.DataFrame, arm: str, against: str) -> pd.DataFrame:
    """The rows of `comparisons` that compare these two, as arm minus against, whichever way round they stand there."""
    direct = compared[(compared.arm == arm) & (compared.against == against)]
    other = compared[(compared.arm == against) & (compared.against == arm)]
    if len(direct) or other.empty:
        return direct
    turned = other.rename(columns=EXCHANGED)
    return turned.assign(**{name: -turned[name].astype(float) for name in SIGNED if name in turned})


def percent(result: stats.Interval | stats.Comparison) -> dict:
    """The record's fields, proportions in percent and differences in points; None stays None."""
    row = dataclasses.asdict(result)
    scaled = ("estimate", "low", "high", "seed_low", "seed_high", "detectable")
    return row | {name: 100 * row[name] for name in scaled if row.get(name) is not None}


def predicted(again: stats.Prediction | None) -> dict:
    """PREDICTED in percent or points; nothing where the seeds of an arm are not known to vary."""
    return {} if again is None else dict(zip(PREDICTED, (100 * again.low, 100 * again.high), strict=True))


def _mcnemar(a: pd.DataFrame, b: pd.DataFrame) -> float | None:
    """Median over common seeds of the exact p; an arm of one seed is held against every seed of the other."""
    seeds = b.index if len(a) == 1 else a.index if len(b) == 1 else a.index.intersection(b.index)
    runs = [[x.iloc[0] if len(x) == 1 else x.loc[seed] for x in (a, b)] for seed in seeds]
    return float(np.median([stats.mcnemar(*pair).p for pair in runs])) if runs else None
