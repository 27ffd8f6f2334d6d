"""Stage analyse: what an experiment's scores, responses and histories say, as CSV files with intervals.

`python -m uniapl.analyse --root results/local/tiny --experiment headline --out FOLDER` reads data/, score/,
generate/ and train/ under the root and writes

    main              accuracy per arm, benchmark, decoding and metric (%), with interval
    comparisons       every arm against every comparator (points): interval, p-values, detectable difference
    distances         how far an arm's responses lie from the expert's
    diversity         how varied an arm's sampled responses are, and its entropy
    claims            the verdict on every claim of the experiment (verdicts.py, uniapl/analyse/claims.py);
                      claims.lock.json keeps how each was first stated (stated.py)
    lengths, logprobs histograms, seeds pooled, equal bins for all arms
    curves            training histories in long form
    cost              what each arm spent, the arms it starts from included
    types             strict accuracy per instruction type (%)
    type_comparisons  every arm against the first comparator by instruction type (points)
    transfer          every arm on every benchmark, and its difference to the base (points)
    aggregate         all benchmarks at once: interquartile mean, probability of improvement (%)
    nearer            every arm's distance to the expert minus a comparator's
    summary           one row per arm: what main, comparisons, transfer, cost and claims say of it
    runs              the planned runs of every arm, and which of them are missing

A missing run has no rows: n_seeds says how many there are. `analyse` is pure; `load` and `main` do the I/O.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from uniapl.analyse import (
    accuracy,
    aggregate,
    by_type,
    claims,
    coverage,
    histograms,
    measures,
    nearer,
    refuse,
    summary,
    training,
    transfer,
    verdicts,
)
from uniapl.analyse.inputs import HEADLINE, Inputs, Question, headline, load
from uniapl.analyse.stated import first_statements
from uniapl.config import Experiment, Scale, asked_at, load_experiment, load_scale, seeds_of
from uniapl.errors import one_line_errors
from uniapl.provenance import checksums

AS_COMPARED = ("comparisons", "claims", "nearer")  # tables in an order of their own
DIGITS = "%.12g"  # of the numbers in the files: more than two machines agree on
SEED = 0  # of every analysis, so that it can be computed again


def analyse(inputs: Inputs, plan: Question, *, rng: np.random.Generator, resamples: int = 9999) -> dict:
    """Every output table (DataFrame) by name. Raises UserError for what refuse.py refuses.

    Each cell has its own generator, spawned by its place in the plan, so a missing run moves no other number.
    """
    refuse.check_inputs(inputs)
    pairs = measures.pairs(inputs)
    tables = _of_checked(inputs, pairs, measures.by_seed(inputs, pairs), plan, rng, resamples)
    return tables | {"logprobs": _ordered(histograms.of_logprobs(headline(inputs, inputs.logprobs)), plan)}


def from_rows(
    inputs: Inputs, pairs, by_seed, plan: Question, *, rng: np.random.Generator, resamples: int = 9999
) -> dict:
    """As `analyse`, all that needs no text and no log-probability beside what `measures` made of them."""
    refuse.check_inputs(inputs)
    return _of_checked(inputs, pairs, by_seed, plan, rng, resamples)


def _of_checked(inputs: Inputs, pairs, by_seed, plan: Question, rng: np.random.Generator, resamples: int) -> dict:
    prompts = accuracy.per_prompt(inputs)
    names = sorted(inputs.test.benchmark.unique(), key=lambda name: (name != HEADLINE, name))
    rng_main, rng_comparisons, rng_claims, rng_distances, *others = rng.spawn(8)
    rng_types, rng_transfer, rng_aggregate, rng_nearer = others
    main = accuracy.accuracies(prompts, plan, names, rng_main, resamples)
    comparisons = accuracy.comparisons(prompts, plan, names, rng_comparisons, resamples)
    tables = {
        "main": pd.concat([main, accuracy.minus(comparisons, plan)], ignore_index=True),
        "comparisons": comparisons,
        "claims": verdicts.of_claims(prompts, main, comparisons, by_seed, plan, rng_claims, resamples),
        "diversity": measures.diversity(by_seed, inputs),
        "distances": measures.distances(pairs, plan, rng_distances, min(resamples, measures.RESAMPLES)),
        "lengths": histograms.of_lengths(pairs),
        "curves": training.curves(inputs.history),
        "cost": training.cost(inputs.runs, plan),
        "types": by_type.types(inputs, plan),
        "type_comparisons": by_type.comparisons(inputs, plan, rng_types, resamples),
        "transfer": transfer.over_base(prompts, main, plan, names, rng_transfer, resamples),
        "aggregate": aggregate.aggregates(prompts, plan, names, rng_aggregate, resamples),
        "nearer": nearer.differences(pairs, plan, rng_nearer, min(resamples, measures.RESAMPLES)),
        "runs": coverage.planned_runs(inputs, plan),
    }
    tables["summary"] = summary.summary(tables, plan, names[0])
    return {n: t if n in AS_COMPARED else _ordered(t, plan) for n, t in tables.items()}


def _ordered(table: pd.DataFrame, plan: Question) -> pd.DataFrame:
    """By arm in the plan's order, the expert last."""
    rank = {arm: place for place, arm in enumerate((*plan.arms, "expert"))}
    return table.sort_values(by="arm", key=lambda arms: arms.map(rank), kind="stable", ignore_index=True)


def plan_of(experiment: Experiment, scale: Scale, stated: Mapping[str, dict] | None = None) -> Question:
    """What an experiment asks at a scale: the base, then its arms at their seeds; `stated` as in `Question`."""
    arms = {arm.name: arm for arm in (*scale.shared, *experiment.arms)}
    names = tuple(dict.fromkeys(("base", *(arm.name for arm in experiment.arms))))
    seeds = {name: seeds_of(scale, experiment, arms[name]) for name in names}
    asked = experiment.against, experiment.decoding, experiment.claims
    return Question(names, *asked, seeds, stated or {}, shared_seeds=not arms["base"].once)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line of stage analyse."""
    parser = argparse.ArgumentParser(description="Statistics of one experiment.")
    parser.add_argument("--root", type=Path, required=True, help="results of one scale, named like it")
    parser.add_argument("--experiment", required=True, help="name of a file in experiments/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the CSV files")
    args = parser.parse_args(argv)
    scale = load_scale(args.root.name)
    experiment = asked_at(load_experiment(args.experiment), scale)
    claims.check(experiment)
    published = args.root.absolute().parent.with_name("published") / scale.name / "analyse" / experiment.name
    plan = plan_of(experiment, scale, first_statements(args.out, published, experiment.claims))
    tables = analyse(load(args.root, plan.seeds, experiment.split), plan, rng=np.random.default_rng(SEED))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(args.out / f"{name}.csv", index=False, float_format=DIGITS)
    checksums.record(args.out)
