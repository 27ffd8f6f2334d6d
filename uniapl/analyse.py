"""Stage analyse: what an experiment's scores, responses and histories say, as CSV files with intervals.

`python -m uniapl.analyse --root results/local/tiny --experiment headline --out FOLDER` reads data/, score/,
generate/ and train/ under the root and writes

    main              accuracy per arm, benchmark, decoding and metric (%), with interval
    comparisons       every arm against every comparator (points): interval, p-values, detectable difference
    distances         how far an arm's responses lie from the expert's
    diversity         how varied an arm's sampled responses are, and its entropy
    claims            the verdict on every claim of the experiment (uniapl/claims.py)
    lengths, logprobs histograms, seeds pooled, equal bins for all arms
    curves            training histories in long form
    cost              what each arm spent, the arms it starts from included
    types             strict accuracy per instruction type (%)

A missing run has no rows: n_seeds says how many there are. `analyse` is pure; `load` and `main` do the I/O.
"""

import argparse
import dataclasses
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from uniapl import claims, stats
from uniapl.config import DECODINGS, Claim, load_experiment, load_scale, seeds_of
from uniapl.errors import UserError, one_line_errors
from uniapl.rows import read_jsonl

HEADLINE = "trained"  # the benchmark of the headline family and of the distances to the expert
METRICS = ("prompt_strict", "inst_strict", "prompt_loose", "inst_loose")
LENGTH = "response length (words)"
UNDER = "log-probability per token, own vs expert text, under the {}"  # the arm ("self") or the base
SPENT = "optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained seconds".split()
CURVES = (  # of a history: what does not depend on the machine
    r"probe_\w+|loss\w*|reward|zero_variance|mu|lam|auc|distance|distance_mean|discriminator_(loss|accuracy)"
)
EVERY = 5  # steps: of what is logged at each step, curves keeps every fifth and the last
LATE = 0.2  # the share of the steps, the last ones, over which a claim's `distance` is the mean
BINS = 40  # about so many per histogram: enough to see a mode, few enough for 100 responses
CELL = ("arm", "benchmark", "decoding", "metric")
COMPARED = """arm against benchmark metric decoding difference low high seed_low seed_high p p_holm p_seeds
    mcnemar_p effect detectable n_seeds n_seeds_against n_prompts family method"""
DISTANCES = """arm quantity ks ks_p wasserstein low high wilcoxon_p median_difference n_seeds n_responses
    interval"""
DIVERSITY = "arm quantity estimate low high n_seeds n_responses interval"
VARIED = {  # quantities of `diversity`, and their names in `_measures`
    "distinct bigrams (%)": "diversity",
    "distinct responses (%)": "distinct_responses",
    "entropy (nats per token)": "entropy",
}

Cells = Mapping[tuple[str, str, str], pd.DataFrame]  # arm, benchmark, decoding -> seeds x (column, key)


@dataclass(frozen=True)
class Plan:
    """What the experiment asks: arms in their order, the comparators among them, the headline's decoding.

    `seeds`: those planned for each arm; an arm without an entry is complete with what is found of it.
    """

    arms: tuple[str, ...]
    against: tuple[str, ...]
    decoding: str = "greedy"
    claims: tuple[Claim, ...] = ()
    seeds: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def pairs(self) -> list[tuple[str, str]]:
        """(arm, against): every arm with every comparator, each pair once, never an arm with itself."""
        pairs: list[tuple[str, str]] = []
        for against, arm in itertools.product(self.against, self.arms):
            if arm != against and (against, arm) not in pairs:
                pairs.append((arm, against))
        return pairs


@dataclass(frozen=True)
class Inputs:
    """All that `analyse` reads. Keys are strings, frames of runs have arm and seed, row order is free."""

    test: pd.DataFrame  # key, benchmark, instructions (their number)
    expert: pd.DataFrame  # key, response
    scores: pd.DataFrame  # arm, seed, decoding, key, index, instruction_id, strict, loose
    responses: pd.DataFrame  # arm, seed, key, response: sampled
    logprobs: pd.DataFrame  # arm, seed, key, text, under, logprobs (one float per token)
    history: pd.DataFrame  # arm, seed, step and any numeric columns
    runs: pd.DataFrame  # arm, seed, start, SPENT, peak_memory_mb


def analyse(inputs: Inputs, plan: Plan, *, rng: np.random.Generator, resamples: int = 9999) -> dict:
    """Every output table (DataFrame) by name. Raises UserError where a run's scores do not cover the prompts.

    Each cell has its own generator, spawned by its place in the plan, so a missing run moves no other number.
    """
    _check(inputs)
    prompts = _per_prompt(inputs)
    names = sorted(inputs.test.benchmark.unique(), key=lambda name: (name != HEADLINE, name))
    rng_main, rng_comparisons, rng_claims = rng.spawn(3)
    pairs, logprobs = _pairs(inputs), _headline(inputs, inputs.logprobs)
    measures = _measures(inputs, pairs)
    main = _main(prompts, plan, names, rng_main, resamples)
    comparisons = _comparisons(prompts, plan, names, rng_comparisons, resamples)
    tables = {
        "main": main,
        "comparisons": comparisons,
        "claims": _claims(prompts, main, comparisons, measures, plan, rng_claims, resamples),
        "diversity": _diversity(measures, inputs),
        "distances": _distances(pairs),
        "lengths": _lengths(pairs),
        "logprobs": _logprob_histograms(logprobs),
        "curves": _curves(inputs.history),
        "cost": _cost(inputs.runs, plan),
        "types": _types(inputs, plan),
    }
    rank = {arm: place for place, arm in enumerate((*plan.arms, "expert"))}
    by_plan = dict(by="arm", key=lambda arms: arms.map(rank), kind="stable", ignore_index=True)
    return {n: t if n in ("comparisons", "claims") else t.sort_values(**by_plan) for n, t in tables.items()}


def _check(inputs: Inputs) -> None:
    """Refuse scores that are not 0 or 1, or that miss, repeat or add an instruction: they would be biased."""
    test = zip(inputs.test.key, inputs.test.instructions, strict=True)
    wanted = {(key, index) for key, instructions in test for index in range(instructions)}
    for (arm, seed, decoding), run in inputs.scores.groupby(["arm", "seed", "decoding"]):
        where = f"score/{arm}/seed{seed}/{decoding}.csv"
        found = list(zip(run.key, run["index"], strict=True))
        if len(found) != len(wanted) or set(found) != wanted:
            missing, odd = len(wanted.difference(found)), sorted(wanted.symmetric_difference(found))[:1]
            raise UserError(
                f"{where}: {len(found)} rows; of {len(wanted)} test instructions {missing} are missing "
                f"(first odd key and index: {odd or 'a repeated one'}); score this run again"
            )
        if not run[["strict", "loose"]].isin((0, 1)).all(axis=None):
            raise UserError(f"{where}: strict and loose must be 0 or 1")


def _per_prompt(inputs: Inputs) -> Cells:
    """Is all of a prompt followed (0/1), and how many of its instructions are, by METRICS; and how many it has."""
    prompts = inputs.scores.groupby(["arm", "seed", "decoding", "key"], as_index=False).agg(
        prompt_strict=("strict", "min"),
        prompt_loose=("loose", "min"),
        inst_strict=("strict", "sum"),
        inst_loose=("loose", "sum"),
    )
    cells = prompts.merge(inputs.test, on="key").groupby(["arm", "benchmark", "decoding"])
    return {cell: rows.pivot(index="seed", columns="key", values=[*METRICS, "instructions"]) for cell, rows in cells}


def _matrix(prompts: Cells, arm: str, benchmark: str, decoding: str, column: str) -> pd.DataFrame:
    """Seeds x keys, both sorted; empty where the arm has no run."""
    return prompts[arm, benchmark, decoding][column] if (arm, benchmark, decoding) in prompts else pd.DataFrame()


def _main(prompts: Cells, plan: Plan, names: list[str], rng, resamples: int) -> pd.DataFrame:
    cells, rows = list(itertools.product(plan.arms, names, DECODINGS, METRICS)), []
    for cell, child in zip(cells, rng.spawn(len(cells)), strict=True):
        num, den = (_matrix(prompts, *cell[:3], column) for column in (cell[3], "instructions"))
        if not num.empty:
            den = den if cell[3].startswith("inst") else None  # instructions come in clusters: prompts
            found = stats.interval(num, den, rng=child, resamples=resamples)
            rows.append(dict(zip(CELL, cell, strict=True)) | _percent(found))
    return pd.DataFrame(rows, columns=[*CELL, *"estimate low high n_seeds n_prompts method".split()])


def _comparisons(prompts: Cells, plan: Plan, names: list[str], rng, resamples: int) -> pd.DataFrame:
    """One Holm family per decoding and benchmark: all pairs of the plan, whether or not their runs exist."""
    pairs, rows = plan.pairs(), []
    decodings = sorted(DECODINGS, key=lambda name: name != plan.decoding)
    families = list(itertools.product(decodings, names))
    for (decoding, benchmark), of_family in zip(families, rng.spawn(len(families)), strict=True):
        cell = dict(benchmark=benchmark, decoding=decoding, metric="prompt_strict")
        cell["family"] = f"prompt_strict, {decoding}, {benchmark}: {len(pairs)} comparisons"
        found = []
        for (arm, against), child in zip(pairs, of_family.spawn(len(pairs)), strict=True):
            a, b = (_matrix(prompts, x, benchmark, decoding, "prompt_strict") for x in (arm, against))
            if not a.empty and not b.empty:
                row = _percent(stats.compare(a, b, rng=child, resamples=resamples))
                found.append(row | cell | dict(arm=arm, against=against, mcnemar_p=_mcnemar(a, b)))
        adjusted = stats.holm([row["p"] for row in found], family=len(pairs))
        rows += [row | {"p_holm": p} for row, p in zip(found, adjusted, strict=True)]
    table = pd.DataFrame(rows).rename(columns={"estimate": "difference", "n_seeds_a": "n_seeds"})
    return table.rename(columns={"n_seeds_b": "n_seeds_against"}).reindex(columns=COMPARED.split())


def _percent(found: stats.Interval | stats.Comparison) -> dict:
    """The record's fields, proportions in percent and differences in points; None stays None."""
    row = dataclasses.asdict(found)
    scaled = ("estimate", "low", "high", "seed_low", "seed_high", "detectable")
    return row | {name: 100 * row[name] for name in scaled if row.get(name) is not None}


def _mcnemar(a: pd.DataFrame, b: pd.DataFrame) -> float | None:
    """Median over common seeds of the exact p; an arm of one seed is held against every seed of the other."""
    seeds = b.index if len(a) == 1 else a.index if len(b) == 1 else a.index.intersection(b.index)
    runs = [[x.iloc[0] if len(x) == 1 else x.loc[seed] for x in (a, b)] for seed in seeds]
    return float(np.median([stats.mcnemar(*pair).p for pair in runs])) if runs else None


def _headline(inputs: Inputs, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the headline benchmark's prompts."""
    return rows[rows.key.isin(inputs.test.key[inputs.test.benchmark == HEADLINE])]


def _pairs(inputs: Inputs) -> pd.DataFrame:
    """One row per arm, seed, key and quantity: the value of the arm's own response and of the expert's.

    Lengths in words; log-probabilities as the mean over a response's tokens (an empty response has none).
    """
    words = _headline(inputs, inputs.responses).merge(inputs.expert, "left", "key", validate="m:1")
    if words.response_y.isna().any():
        raise UserError(f"data/expert.jsonl: no response for key {words.key[words.response_y.isna()].iloc[0]}")
    for name, column in (("own", "response_x"), ("expert", "response_y")):
        words[name] = [float(len(text.split())) for text in words[column]]
    scored = _headline(inputs, inputs.logprobs)
    scored = scored.assign(value=[np.mean(x, dtype=float) if len(x) else np.nan for x in scored.logprobs])
    means = scored.pivot(index=["arm", "seed", "key", "under"], columns="text", values="value").reset_index()
    means["quantity"] = means.under.map({"self": UNDER.format("arm"), "base": UNDER.format("base")})
    both = pd.concat([words.assign(quantity=LENGTH), means])
    both = both.reindex(columns=["arm", "seed", "key", "quantity", "own", "expert"]).dropna()
    return both.sort_values(["arm", "quantity", "seed", "key"], ignore_index=True)


def _distances(pairs: pd.DataFrame) -> pd.DataFrame:
    """Distances per seed, paired by key; then the mean over seeds, for p-values the median.

    low, high: 95 % t interval of the Wasserstein distance over seeds, blank with one seed.
    """
    rows = []
    for (arm, quantity), of_arm in sorted(pairs.groupby(["arm", "quantity"]), key=lambda group: group[0]):
        found = [stats.distance(run.own, run.expert) for _, run in of_arm.groupby("seed")]
        table = pd.DataFrame([dataclasses.asdict(d) for d in found])
        row = table.mean().to_dict() | table[["ks_p", "wilcoxon_p"]].median().to_dict()
        row |= _over_seeds(table.wasserstein) | dict(n_responses=table.n.min())
        rows.append(row | {"arm": arm, "quantity": quantity})
    return pd.DataFrame(rows, columns=DISTANCES.split())


def _measures(inputs: Inputs, pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per arm, seed and quantity that is one value per run: value, n (responses behind it, or blank).

    diversity, distinct_responses: distinct word bigrams and distinct responses, in % of all, of the sampled responses
    to the headline benchmark; entropy: mean of -log p of their tokens under the arm, nats; length: Wasserstein
    distance to the expert's, words; auc: the last `probe_auc` of the history; distance: the mean of the history's
    `distance` (expert's minus policy's score) over the last fifth of the steps.
    """
    rows = []
    for run, of_run in _headline(inputs, inputs.responses).groupby(["arm", "seed"]):
        share = stats.distinct_bigrams(of_run.response)
        if share is not None:
            rows.append((*run, "diversity", 100 * share, len(of_run)))
        rows.append((*run, "distinct_responses", 100 * of_run.response.nunique() / len(of_run), len(of_run)))
    own = _headline(inputs, inputs.logprobs).sort_values("key")
    for run, of_run in own[(own.text == "own") & (own.under == "self")].groupby(["arm", "seed"]):
        if len(tokens := np.concatenate(list(of_run.logprobs))):
            rows.append((*run, "entropy", -float(np.mean(tokens, dtype=float)), len(of_run)))
    for run, of_run in pairs[pairs.quantity == LENGTH].groupby(["arm", "seed"]):
        rows.append((*run, "length", stats.distance(of_run.own, of_run.expert).wasserstein, len(of_run)))
    history = inputs.history.reindex(columns=["arm", "seed", "step", "probe_auc", "distance"])
    for run, of_run in history.sort_values("step").groupby(["arm", "seed"]):
        aucs = pd.to_numeric(of_run.probe_auc).dropna()
        late = pd.to_numeric(of_run.distance[of_run.step > (1 - LATE) * of_run.step.max()]).dropna()
        rows += [(*run, "auc", aucs.iloc[-1], None)] if len(aucs) else []
        rows += [(*run, "distance", late.mean(), None)] if len(late) else []
    return pd.DataFrame(rows, columns=["arm", "seed", "quantity", "value", "n"])


def _diversity(measures: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Mean over seeds with its t interval; the expert's responses to the same prompts are one set without one."""
    rows = []
    for name, quantity in VARIED.items():
        for arm, of_arm in measures[measures.quantity == quantity].groupby("arm"):
            rows.append(dict(arm=arm, quantity=name, n_responses=of_arm.n.min()) | _over_seeds(of_arm.value))
    expert = _headline(inputs, inputs.expert)
    if rows and len(expert):
        alone = dict(arm="expert", n_seeds=1, n_responses=len(expert), interval="none (one set)")
        share, responses = stats.distinct_bigrams(expert.response), expert.response.nunique() / len(expert)
        rows += [alone | dict(quantity=q, estimate=100 * x) for q, x in zip(VARIED, (share, responses), strict=False)]
    return pd.DataFrame(rows, columns=DIVERSITY.split())


def _over_seeds(values: pd.Series) -> dict:
    """The mean of one value per seed with its 95 % t interval, which is blank with one seed."""
    low, high = stats.t_interval(values) or (None, None)
    kind = "none (one seed)" if low is None else "95 % t interval over seeds"
    return dict(estimate=values.mean(), low=low, high=high, n_seeds=len(values), interval=kind)


def _claims(prompts: Cells, main, comparisons, measures, plan: Plan, rng, resamples: int) -> pd.DataFrame:
    """One row per claim, in the experiment's order."""
    rows = []
    for claim, child in zip(plan.claims, rng.spawn(len(plan.claims)), strict=True):
        if claim.quantity == "accuracy":
            values = [_matrix(prompts, x, claim.benchmark, plan.decoding, "prompt_strict") for x in _sides(claim)]
            found = _accuracy(claim, values, main, comparisons, plan, child, resamples)
        else:
            of_quantity = measures[measures.quantity == claim.quantity]
            values = [of_quantity[of_quantity.arm == x].set_index("seed") for x in _sides(claim)]
            found = _measured(values)
        what = claim.quantity + (f" on {claim.benchmark}" if claim.quantity == "accuracy" else "")
        missing = [
            f"{len(side)} of {len(plan.seeds.get(arm, side))} seeds of {arm} have {what}"
            for arm, side in zip(_sides(claim), values, strict=True)
            if len(side) < max(1, len(plan.seeds.get(arm, side)))
        ]
        rows.append(claims.judge(claim, dataclasses.replace(found, missing=", ".join(missing))))
    return pd.DataFrame(rows, columns=claims.COLUMNS)


def _sides(claim: Claim) -> list[str]:
    return [claim.arm] if claim.against is None else [claim.arm, claim.against]


def _accuracy(claim: Claim, values: list, main, comparisons, plan: Plan, rng, resamples: int) -> claims.Finding:
    """In points. The interval is that of `comparisons` (`main` without a comparator) where it has the pair."""
    if any(side.empty for side in values):
        return claims.Finding(n_seeds=len(values[0]))
    cell = dict(benchmark=claim.benchmark, decoding=plan.decoding, metric="prompt_strict")
    means = [side.mean(axis=1) for side in values]
    if claim.against is None:
        row = _only(main, arm=claim.arm, **cell)
        low, high = stats.t_interval(100 * means[0]) or (None, None)
    else:
        row = _only(comparisons, arm=claim.arm, against=claim.against, **cell)
        turned = _only(comparisons, arm=claim.against, against=claim.arm, **cell)
        if turned:
            flip = dict(estimate="difference", low="high", high="low", seed_low="seed_high", seed_high="seed_low")
            row = {name: -turned[other] for name, other in flip.items()}
        row = row or _percent(stats.compare(*values, rng=rng, resamples=resamples))
        low, high = row["seed_low"], row["seed_high"]
        if min(map(len, means)) == 1:  # a checkpoint that all share, such as the base, has no seeds to vary
            difference = means[0] - means[1].item() if len(means[1]) == 1 else means[0].item() - means[1]
            low, high = stats.t_interval(100 * difference) or (None, None)
    return claims.Finding(
        estimate=row.get("estimate", row.get("difference")),
        low=row["low"],
        high=row["high"],
        seed_low=None if pd.isna(low) else low,
        seed_high=None if pd.isna(high) else high,
        n_seeds=len(values[0]),
        n_prompts=values[0].shape[1],
    )


def _only(table: pd.DataFrame, **wanted: str) -> dict:
    """The row with these values as a dict, empty where there is none."""
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table.iloc[0].to_dict() if len(table) else {}


def _measured(values: list[pd.DataFrame]) -> claims.Finding:
    """Of one value per seed: the mean, or the mean difference paired by seed, with its t interval.

    An arm of one seed, such as the base, is held against every seed of the other.
    """
    difference = values[0].value
    if len(values) > 1:
        a, b = (side.value for side in values)
        difference = a - b.item() if len(b) == 1 else a.item() - b if len(a) == 1 else (a - b).dropna()
    if difference.empty:
        return claims.Finding(n_seeds=len(values[0]))
    found, n = _over_seeds(difference), values[0].n.min()
    return claims.Finding(
        estimate=found["estimate"],
        low=found["low"],
        high=found["high"],
        n_seeds=found["n_seeds"],
        n_prompts=None if pd.isna(n) else int(n),
    )


def bins(values: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Edges at multiples of a round width (1, 2 or 5 x 10^k, at least `least`) over the bulk of the values.

    The bulk is the middle 99.8 %; a histogram counts what lies outside in its outermost bins.
    """
    low, high = np.quantile(values, [0.001, 0.999])
    raw = max((high - low) / BINS, least, 1e-6)
    power = 10.0 ** np.floor(np.log10(raw))
    width = power * next(m for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    return np.arange(np.floor(low / width), np.floor(high / width) + 2) * width


def _histograms(groups: Mapping[tuple, np.ndarray], names: str, least: float = 0.0) -> pd.DataFrame:
    """One row per group and bin, the same bins for all; density integrates to 1; n: values of the group."""
    rows = []
    edges = bins(np.concatenate(list(groups.values())), least) if groups else np.empty(0)
    for group, values in groups.items():
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        density = counts / (len(values) * np.diff(edges))
        rows += [(*group, *bar, len(values)) for bar in zip(edges[:-1], edges[1:], density, strict=True)]
    return pd.DataFrame(rows, columns=[*names.split(), "bin_left", "bin_right", "density", "n"])


def _lengths(pairs: pd.DataFrame) -> pd.DataFrame:
    lengths = pairs[pairs.quantity == LENGTH]
    groups = {(arm,): rows.own.to_numpy() for arm, rows in lengths.groupby("arm")}
    if groups:
        groups["expert",] = lengths.drop_duplicates("key").expert.to_numpy()
    return _histograms(groups, "arm", least=1.0)


def _logprob_histograms(logprobs: pd.DataFrame) -> pd.DataFrame:
    """Per token and per response (mean over its tokens), by arm, scoring model and author of the text."""
    tables = []
    for unit in ("token", "response"):
        groups = {}
        for group, rows in logprobs.groupby(["arm", "under", "text"]):
            values = [x if unit == "token" else [np.mean(x, dtype=float)] for x in rows.logprobs if len(x)]
            if values:
                groups[*group, unit] = np.concatenate(values)
        tables.append(_histograms(groups, "arm under text unit"))
    return pd.concat(tables)


def _curves(history: pd.DataFrame) -> pd.DataFrame:
    """Long form of what CURVES names, six digits; the step counts within the arm's own training.

    Every probe; of what is logged at each step only every fifth step and the last.
    """
    curves = history.melt(["arm", "seed", "step"], var_name="quantity", value_name="value")
    last = curves.step == curves.groupby(["arm", "seed"]).step.transform("max")
    kept = curves.quantity.str.startswith("probe_") | (curves.step % EVERY == 0) | last
    curves = curves[kept & curves.quantity.str.fullmatch(CURVES)]
    curves = curves.assign(value=pd.to_numeric(curves.value)).dropna(subset="value")
    curves = curves.assign(value=[float(f"{value:.6g}") for value in curves.value])
    return curves.sort_values(["arm", "seed", "quantity", "step"])


def _cost(runs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Mean over seeds of what a run and its starts spent together; the base, shared by all arms, is free.

    Memory: the largest peak along the chain. A run with an unrecorded start is left out: its cost is unknown.
    """
    by_run = {(run["arm"], run["seed"]): run for run in runs.to_dict("records")}
    rows = []
    for arm in plan.arms:
        chains = [_chain(by_run, arm, seed) for name, seed in sorted(by_run) if name == arm]
        if complete := [pd.DataFrame(chain) for chain in chains if chain]:
            spent = pd.DataFrame([chain[SPENT].sum(skipna=False) for chain in complete]).mean(skipna=False)
            peak = np.mean([chain.peak_memory_mb.max() for chain in complete])
            rows.append({"arm": arm, **spent, "peak_memory_mb": peak, "n_seeds": len(complete)})
    return pd.DataFrame(rows, columns=["arm", *SPENT, "peak_memory_mb", "n_seeds"])


def _chain(by_run: Mapping, arm: str, seed: int) -> list[dict]:
    """The records of a run and its starts at the same seed, without the base; empty where one is missing."""
    chain = []
    while arm and arm != "base":
        if (arm, seed) not in by_run:
            return []
        chain.append(by_run[arm, seed])
        arm = chain[-1]["start"]
    return chain


def _types(inputs: Inputs, plan: Plan) -> pd.DataFrame:
    """Strict accuracy per arm, benchmark and instruction type; n: the type's instructions per seed."""
    scores = inputs.scores[inputs.scores.decoding == plan.decoding].merge(inputs.test, on="key")
    groups = scores.groupby(["arm", "instruction_id", "benchmark"], as_index=False)
    table = groups.agg(estimate=("strict", "mean"), n=("strict", "size"), n_seeds=("seed", "nunique"))
    return table.assign(estimate=100 * table.estimate, n=table.n // table.n_seeds)


def load(root: Path, seeds: Mapping[str, Sequence[int]], split: str = "test") -> Inputs:
    """Read what exists of the planned runs (arm -> seeds) under a results folder; stderr names what does not.

    Raises UserError for an absent prompts file, a file without a column it should have, and for no scores.
    """
    test = _read(root / f"data/{split}.jsonl", "key benchmark instruction_id_list")
    columns = "key index instruction_id strict loose"
    by_decoding = {d: _runs(root, f"score/{split}", f"{d}.csv", columns, seeds) for d in DECODINGS}
    scores = pd.concat([rows.assign(decoding=d) for d, rows in by_decoding.items()], ignore_index=True)
    if scores.empty:
        raise UserError(f"{root}/score: no scores of {', '.join(seeds)}; run the stages up to score first")
    return Inputs(
        test=test.assign(instructions=test.instruction_id_list.map(len))[["key", "benchmark", "instructions"]],
        expert=_read(root / "data/expert.jsonl", "key response"),
        scores=scores[["arm", "seed", "decoding", *columns.split()]],
        responses=_runs(root, f"generate/{split}", "sampled.parquet", "key response", seeds),
        logprobs=_runs(root, f"generate/{split}", "logprobs.parquet", "key text under logprobs", seeds),
        history=_runs(root, "train", "history.csv", "step", seeds),
        runs=_records(root, seeds),
    )


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
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    if absent := set(columns.split()) - set(table.columns):
        raise UserError(f"{path}: no column {', '.join(sorted(absent))}; it has {', '.join(table.columns)}")
    return table.assign(key=table.key.astype(str)) if "key" in table else table


def _records(root: Path, seeds: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """run.json of every run, and of the runs it starts from, which need not be arms of the experiment."""
    todo, found = [(arm, seed) for arm in seeds for seed in seeds[arm]], {}
    while todo:
        arm, seed = todo.pop()
        path = root / f"train/{arm}/seed{seed}/run.json"
        if (arm, seed) not in found and path.is_file():
            run = json.loads(path.read_text(encoding="utf-8"))
            found[arm, seed] = dict(arm=arm, seed=seed, start=run["start_arm"]) | run["cost"]
            todo.append((run["start_arm"], seed))
    return pd.DataFrame(found.values(), columns=["arm", "seed", "start", *SPENT, "peak_memory_mb"])


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line of stage analyse."""
    parser = argparse.ArgumentParser(description="Statistics of one experiment.")
    parser.add_argument("--root", type=Path, required=True, help="results of one scale, named like it")
    parser.add_argument("--experiment", required=True, help="name of a file in experiments/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the CSV files")
    args = parser.parse_args(argv)
    experiment, scale = load_experiment(args.experiment), load_scale(args.root.name)
    arms = {arm.name: arm for arm in (*scale.shared, *experiment.arms)}
    names = tuple(dict.fromkeys(("base", *(arm.name for arm in experiment.arms))))
    seeds = {name: seeds_of(scale, experiment, arms[name]) for name in names}
    claims.check(experiment)
    plan = Plan(names, experiment.against, experiment.decoding, experiment.claims, seeds)
    tables = analyse(load(args.root, seeds, experiment.split), plan, rng=np.random.default_rng(0))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(args.out / f"{name}.csv", index=False)


if __name__ == "__main__":
    main()
