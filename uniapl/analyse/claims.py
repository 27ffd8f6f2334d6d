"""Claims: sentences written before the run, held against what was measured. Pure; reads and writes nothing.

The verdict on "the difference is above (below) the margin":

    supported     every 95 % interval lies wholly on the claimed side of the margin, and p stays below 0.05 after
                  Holm's adjustment for the claims of its family
    contradicted  the same on the other side
    not decided   anything else, with the difference that these data would detect with 80 % power, and how many seeds
                  would find one as large as was measured; `unadjusted` has the verdict of the intervals alone

Until 2026-11-30 the intervals alone gave the verdict, and Holm's p stood beside it. All claims were judged anew.

"Within" claims that two arms are as good as each other: supported where every interval lies wholly between -margin and
margin (two one-sided tests, Schuirmann 1987, at 2.5 % each), contradicted where every one lies wholly outside.

Accuracy has two intervals, and both must agree: the hierarchical bootstrap over seeds and prompts and the t interval
over seeds. Without a true difference, fewer than 5 % of simulated worlds get a verdict on either side, with 3 and with
5 seeds (docs/statistics.md). The other quantities are one value per seed and have the t interval alone. Fewer seeds
than planned, or none, decide nothing. `p` is the larger one of the tests that belong to the intervals, `p_holm` its
adjustment for the claims of the family.

How a claim was worded when its runs were first analysed is recorded (uniapl/analyse/stated.py): `changed` says what
has been changed since, and a claim that is gone is `withdrawn`, not forgotten.
"""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uniapl import stats
from uniapl.config import Claim, Experiment, choose
from uniapl.errors import UserError

UNITS = {  # of the quantities that a claim can be about
    "accuracy": "points",
    "auc": "",
    "distance": "scores",
    "entropy": "nats per token",
    "diversity": "points",
    "length": "words",
}
DIRECTIONS = ("above", "below", "within")
SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "not decided"
WITHDRAWN = "withdrawn"
LATE = "late"  # key of a first statement that was made after the experiment had been analysed
ALPHA = 0.05


@dataclass(frozen=True)
class Finding:
    """What was measured of a claim's quantity, in its unit; None where the data do not define it.

    `low`, `high`: the main interval; `seed_low`, `seed_high`: for accuracy the t interval over seeds, for the other
    quantities None. `p`, `p_seeds`: of the same two, two-sided, null hypothesis: the margin. `missing` says which
    planned runs are absent. `detectable`: the least true difference from the margin that these seeds and prompts find
    with 80 % power. `seeds_needed`: per arm, to find one as large as this; inf: more than stats.MOST_SEEDS.
    """

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    seed_low: float | None = None
    seed_high: float | None = None
    n_seeds: int = 0
    n_prompts: int | None = None
    missing: str = ""
    p: float | None = None
    p_seeds: float | None = None
    detectable: float | None = None
    seeds_needed: float | None = None


COLUMNS = (
    *"id sentence source quantity benchmark arm against direction margin".split(),
    *"estimate low high seed_low seed_high detectable p p_holm n_seeds n_prompts verdict unadjusted reason".split(),
    *"family fingerprint changed".split(),
)


def statement(claim: Claim) -> dict:
    """What the claim says, as JSON values: all but `differs`, which is a check of its arms' settings."""
    return {name: value for name, value in dataclasses.asdict(claim).items() if name != "differs"}


def fingerprint(claim: Claim) -> str:
    """SHA-256 (first 16 digits) of all that the claim says; a claim that names no family says nothing of it."""
    stated = {name: value for name, value in statement(claim).items() if name != "family" or value}
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:16]


def changes(claim: Claim, first: Mapping | None) -> str | None:
    """`margin was 0.0; direction was above`: what differs from its first statement; None where nothing does.

    A claim that was added after the experiment had been analysed (LATE) says that.
    """
    if not first:
        return None
    now = statement(claim)
    then = {"family": ""} | dict(first)
    late = ["added after the first analysis"] if then.pop(LATE, False) else []
    return "; ".join(late + [f"{name} was {was!r}" for name, was in then.items() if now.get(name) != was]) or None


def withdrawn(first: Mapping) -> dict:
    """The row of a claim that was stated when its runs were first analysed and is no longer."""
    reason = "stated at the first analysis, no longer in the experiment's file"
    return dict.fromkeys(COLUMNS) | dict(first) | dict(n_seeds=0, verdict=WITHDRAWN, reason=reason)


def check(experiment: Experiment) -> None:
    """Raise UserError for a claim about something that the experiment does not have.

    Not for its benchmark, which the prompts of a scale may lack: such a claim is not decided there.
    """
    where = f"experiments/{experiment.name}.py"
    arms = {"base", *(arm.name for arm in experiment.arms)}
    for claim in experiment.claims:
        subject = f"of claim {claim.id!r} in {where}"
        if [other.id for other in experiment.claims].count(claim.id) > 1:
            raise UserError(f"{where}: claim {claim.id!r} is made twice")
        choose(f"quantity {subject}", claim.quantity, UNITS)
        choose(f"direction {subject}", claim.direction, DIRECTIONS)
        choose(f"arm {subject}", claim.arm, arms)
        if claim.against is not None:
            choose(f"comparator {subject}", claim.against, arms)
        if claim.direction == "within" and not claim.margin > 0:
            raise UserError(f"{where}: claim {claim.id!r} is within {claim.margin:g}; give it a margin above 0")
        if claim.arm == claim.against:
            raise UserError(f"{where}: claim {claim.id!r} holds {claim.arm!r} against itself")


def judge(claim: Claim, finding: Finding, first: Mapping | None = None) -> dict:
    """One row of claims.csv, with the columns COLUMNS. `first`: the claim's fields when it was first analysed."""
    intervals = [(finding.low, finding.high)]
    if claim.quantity == "accuracy":
        intervals.append((finding.seed_low, finding.seed_high))
    complete = [(low, high) for low, high in intervals if low is not None and high is not None]
    if finding.missing:
        verdict, reason = UNDECIDED, f"{finding.missing}; the missing runs first"
    elif len(complete) < len(intervals):
        none = "no interval over seeds: one seed, or no difference between seeds"
        verdict, reason = UNDECIDED, f"{none}; 2 or more seeds that differ"
    else:
        verdict, reason = _verdict(claim, complete, finding)
    row = dataclasses.asdict(claim) | dataclasses.asdict(finding)
    row |= dict(verdict=verdict, reason=reason, p=_larger_p(claim, finding), p_holm=None)
    row["unadjusted"] = verdict
    row |= dict(fingerprint=fingerprint(claim), changed=changes(claim, first))
    if claim.quantity != "accuracy":
        row["benchmark"] = None
    return {column: row[column] for column in COLUMNS}


def adjusted(rows: Sequence[dict]) -> list[dict]:
    """The judged claims of an experiment with `p_holm`, and `family` with its size, missing and untested ones included.

    A verdict that has no p, or none below ALPHA after Holm's adjustment, becomes UNDECIDED. Withdrawn claims are no
    part of a family.
    """
    sizes = Counter(row["family"] for row in rows)
    done = [row | {"family": f"{row['family'] or 'of the experiment'}: {sizes[row['family']]} claims"} for row in rows]
    for name, size in sizes.items():
        with_p = [i for i, row in enumerate(rows) if row["family"] == name and row["p"] is not None]
        for i, p in zip(with_p, stats.holm([rows[i]["p"] for i in with_p], family=size), strict=True):
            done[i]["p_holm"] = float(p)
    return [row if _survives(row) else row | _not_decided(row) for row in done]


def _survives(row: Mapping) -> bool:
    return row["verdict"] == UNDECIDED or (row["p_holm"] is not None and row["p_holm"] < ALPHA)


def _not_decided(row: Mapping) -> dict:
    """What replaces a verdict that the family's adjustment takes away."""
    adjusted_p = "no test" if row["p_holm"] is None else f"p {row['p_holm']:.2g} after Holm's adjustment"
    reason = f"{row['verdict']} before adjustment; {adjusted_p}; {_detectable(row['quantity'], row['detectable'])}"
    return dict(verdict=UNDECIDED, reason=reason)


def _detectable(quantity: str, difference: float | None) -> str:
    if difference is None:
        return "detectable: not known"
    unit = f" {UNITS[quantity]}" if UNITS[quantity] else ""
    return f"detectable: {difference:.3g}{unit}"


def _larger_p(claim: Claim, finding: Finding) -> float | None:
    """The p of "every interval excludes the margin": the larger one; None where a test is missing."""
    ps = [finding.p, finding.p_seeds] if claim.quantity == "accuracy" else [finding.p]
    return None if None in ps else max(ps)


def _verdict(claim: Claim, intervals: Sequence[tuple[float, float]], finding: Finding) -> tuple[str, str]:
    subject = "both intervals" if len(intervals) > 1 else "the interval"
    above = all(low > claim.margin for low, _ in intervals)
    lower = -claim.margin if claim.direction == "within" else claim.margin
    below = all(high < lower for _, high in intervals)
    if claim.direction == "within" and all(-claim.margin < low and high < claim.margin for low, high in intervals):
        return SUPPORTED, f"{subject} within {claim.margin:g} of 0"
    if not above and not below:
        reason = _detectable(claim.quantity, finding.detectable)
        if finding.seeds_needed is not None:
            few = finding.seeds_needed <= stats.MOST_SEEDS
            n = f"{finding.seeds_needed:.0f}" if few else f"over {stats.MOST_SEEDS}"
            reason += f"; to find {abs(finding.estimate - claim.margin):.2g}: {n} seeds"
        return UNDECIDED, reason
    as_claimed = claim.direction == ("above" if above else "below")
    side = f"above {claim.margin:g}" if above else f"below {lower:g}"
    return (SUPPORTED if as_claimed else CONTRADICTED), f"{subject} {side}"
