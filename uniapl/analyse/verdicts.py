"""The verdict on every claim of an experiment: what was measured of it, for uniapl/analyse/claims.py to judge."""

import dataclasses

import numpy as np
import pandas as pd

from uniapl import stats
from uniapl.analyse import claims
from uniapl.analyse.accuracy import Cells, matrix, of_pair, percent
from uniapl.analyse.inputs import Question
from uniapl.analyse.measures import over_seeds
from uniapl.config import Claim

HALF_WIDTHS = 1 + 0.8416 / 1.96  # of a normal 95 % interval, that a difference is which 80 % power finds


def of_claims(prompts: Cells, main, comparisons, measures, plan: Question, rng, resamples: int) -> pd.DataFrame:
    """One row per claim, in the experiment's order; below them those that it has withdrawn."""
    rows = []
    for claim, child in zip(plan.claims, rng.spawn(len(plan.claims)), strict=True):
        if claim.quantity == "accuracy":
            values = [matrix(prompts, x, claim.benchmark, plan.decoding, "prompt_strict") for x in _arms_of(claim)]
            finding = _accuracy_finding(claim, values, main, comparisons, plan, child, resamples)
        else:
            of_quantity = measures[measures.quantity == claim.quantity]
            values = [of_quantity[of_quantity.arm == x].set_index("seed") for x in _arms_of(claim)]
            finding = _measure_finding(values, claim)
        what = claim.quantity + (f" on {claim.benchmark}" if claim.quantity == "accuracy" else "")
        missing = [
            f"{len(side)} of {len(plan.seeds.get(arm, side))} seeds of {arm} have {what}"
            for arm, side in zip(_arms_of(claim), values, strict=True)
            if len(side) < max(1, len(plan.seeds.get(arm, side)))
        ]
        finding = dataclasses.replace(finding, missing=", ".join(missing))
        rows.append(claims.judge(claim, finding, plan.stated.get(claim.id)))
    rows = claims.adjusted(rows)
    gone = plan.stated.keys() - {claim.id for claim in plan.claims}
    rows += [claims.withdrawn(plan.stated[id]) for id in sorted(gone)]
    return pd.DataFrame(rows, columns=claims.COLUMNS)


def _arms_of(claim: Claim) -> list[str]:
    return [claim.arm] if claim.against is None else [claim.arm, claim.against]


def _accuracy_finding(
    claim: Claim, values: list, main, comparisons, plan: Question, rng, resamples: int
) -> claims.Finding:
    """In points. The interval is that of `comparisons` (`main` without a comparator) where it has the pair."""
    if any(side.empty for side in values):
        return claims.Finding(n_seeds=len(values[0]))
    cell = dict(benchmark=claim.benchmark, decoding=plan.decoding, metric="prompt_strict")
    means = [side.mean(axis=1) for side in values]
    if claim.against is None:
        row = _row_with(main, arm=claim.arm, **cell)
        low, high = stats.t_interval(100 * means[0]) or (None, None)
        p = p_seeds = _p(100 * means[0], claim) if len(means[0]) > 1 else None  # its interval is over seeds
        needed = None
    else:
        row = _row_with(of_pair(comparisons, claim.arm, claim.against), **cell)
        test, how = row, dict(shared_seeds=plan.pairs_seeds(*values), resamples=resamples)
        if not row or claim.margin:
            test = percent(stats.compare(*values, rng=rng, margin=claim.margin / 100, **how))
        row, p, p_seeds = row or test, test["p"], test["p_seeds"]
        if claim.direction == "within":
            p, p_seeds = _equivalence_p(values, claim.margin, rng, how)
        low, high = row["seed_low"], row["seed_high"]
        if min(map(len, means)) == 1:  # a checkpoint that all share, such as the base, has no seeds to vary
            difference = means[0] - means[1].item() if len(means[1]) == 1 else means[0].item() - means[1]
            low, high = stats.t_interval(100 * difference) or (None, None)
            p_seeds = _p(100 * difference, claim) if len(difference) > 1 else None
        needed = (
            None
            if claim.direction == "within"
            else _seeds_for_accuracy(values, row.get("estimate", row.get("difference")) - claim.margin, plan)
        )
    return claims.Finding(
        estimate=row.get("estimate", row.get("difference")),
        low=row["low"],
        high=row["high"],
        seed_low=None if pd.isna(low) else low,
        seed_high=None if pd.isna(high) else high,
        n_seeds=len(values[0]),
        n_prompts=values[0].shape[1],
        p=p,
        p_seeds=None if pd.isna(p_seeds) else p_seeds,
        detectable=_detectable(row, means),
        seeds_needed=needed,
    )


def _detectable(row: dict, means: list[pd.Series]) -> float | None:
    """That of the comparison, which holds for its interval over seeds too: that is never wider. Of an arm alone, whose
    interval over seeds and prompts has no variance components, an upper bound: its half-width as if it were normal."""
    if len(means) > 1:
        return None if pd.isna(row["detectable"]) else row["detectable"]
    return HALF_WIDTHS * (row["high"] - row["low"]) / 2 if len(means[0]) > 1 else None


def _seeds_for_accuracy(values: list[pd.DataFrame], difference: float, plan: Question) -> float | None:
    """How many seeds per arm would find a difference of so many points; None where one arm's seeds are not known."""
    several, single = sorted(values, key=len, reverse=True)
    if len(several) == 1:
        return None
    if plan.pairs_seeds(several, single):
        several, single = stats.differences(several.to_numpy(), single.to_numpy())
    components, shared = stats.components(several, single), len(single) == 1
    return stats.seeds_needed(components, difference / 100, several.shape[1], shared=shared)


def _row_with(table: pd.DataFrame, **values: str) -> dict:
    """The row with these values as a dict, empty where there is none."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table.iloc[0].to_dict() if len(table) else {}


def _p(values, claim: Claim) -> float:
    """p of the t-tests over seeds that the claim's interval belongs to, of the values' mean against the margin.

    "Within": where the mean lies inside, the larger p of the two one-sided tests; outside, that of the nearer edge.
    """
    mean = float(np.mean(values))
    if claim.direction != "within" or abs(mean) >= claim.margin:
        edge = claim.margin if claim.direction != "within" or mean > 0 else -claim.margin
        return stats.t_test(values, edge)
    return stats.tost(values, claim.margin)


def _equivalence_p(values: list[pd.DataFrame], margin: float, rng, how: dict) -> list[float | None]:
    """p of "the difference is margin points or more, on either side": bootstrap, and t-test over seeds if it has one.

    The larger p of the two one-sided tests, each half of a two-sided one. Where the estimate itself lies outside, the
    two-sided p of the nearer edge: it says that the claim is contradicted.
    """
    sides = []
    for edge in (margin / 100, -margin / 100):
        comparison = stats.compare(*values, rng=rng, margin=edge, **how)
        inside = comparison.estimate < edge if edge > 0 else comparison.estimate > edge
        if not inside:
            return [comparison.p, comparison.p_seeds]
        halves = [None if p is None else p / 2 for p in (comparison.p, comparison.p_seeds)]
        sides.append(halves)
    return [None if None in pair else max(pair) for pair in zip(*sides, strict=True)]


def _measure_finding(values: list[pd.DataFrame], claim: Claim) -> claims.Finding:
    """Of one value per seed: the mean, or the mean difference paired by seed, with its t interval.

    An arm of one seed, such as the base, is held against every seed of the other.
    """
    difference = values[0].value
    if len(values) > 1:
        a, b = (side.value for side in values)
        difference = a - b.item() if len(b) == 1 else a.item() - b if len(a) == 1 else (a - b).dropna()
    if difference.empty:
        return claims.Finding(n_seeds=len(values[0]))
    mean, n, n_seeds = over_seeds(difference), values[0].n.min(), len(difference)
    return claims.Finding(
        estimate=mean["estimate"],
        low=mean["low"],
        high=mean["high"],
        n_seeds=n_seeds,
        n_prompts=None if pd.isna(n) else int(n),
        p=_p(difference, claim) if n_seeds > 1 else None,
        detectable=None if mean["low"] is None else stats.detectable_of_values(difference.std(), n_seeds),
        seeds_needed=_seeds_for_measure(difference, claim) if n_seeds > 1 else None,
    )


def _seeds_for_measure(values: pd.Series, claim: Claim) -> float | None:
    if claim.direction == "within":
        return None
    return stats.seeds_of_values(values.std(), values.mean() - claim.margin)
