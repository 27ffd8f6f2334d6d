"""Claims: sentences written before the run, held against what was measured. Pure; reads and writes nothing.

The verdict on "the difference is above (below) the margin":

    supported     every 95 % interval lies wholly on the claimed side of the margin
    contradicted  every one lies wholly on the other side
    not decided   anything else, with the difference that these data would detect with 80 % power

Accuracy has two intervals, and both must agree: the hierarchical bootstrap over seeds and prompts and the t interval
over seeds. Without a true difference, fewer than 5 % of simulated worlds get a verdict on either side, with 3 and with
5 seeds (docs/statistics.md). The other quantities are one value per seed and have the t interval alone. Fewer seeds
than planned, or none, decide nothing. Each claim is judged for itself: no adjustment for how many there are.

How a claim was worded when its runs were first analysed is recorded (uniapl/analyse/stated.py): `changed` says what
has been changed since, and a claim that is gone is `withdrawn`, not forgotten.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
DIRECTIONS = ("above", "below")
SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "not decided"
WITHDRAWN = "withdrawn"
POWER = 1 + 0.8416 / 1.96  # half-widths of a 95 % interval that a difference must be to be found with 80 % power


@dataclass(frozen=True)
class Finding:
    """What was measured of a claim's quantity, in its unit; None where the data do not define it.

    `low`, `high`: the main interval; `seed_low`, `seed_high`: for accuracy the t interval over seeds, for the other
    quantities None. `missing` says which planned runs are absent.
    """

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    seed_low: float | None = None
    seed_high: float | None = None
    n_seeds: int = 0
    n_prompts: int | None = None
    missing: str = ""


COLUMNS = (
    *"id sentence source quantity benchmark arm against direction margin".split(),
    *"estimate low high seed_low seed_high detectable n_seeds n_prompts verdict reason".split(),
    *"fingerprint changed".split(),
)


def fingerprint(claim: Claim) -> str:
    """SHA-256 (first 16 digits) of all that the claim says."""
    return hashlib.sha256(json.dumps(dataclasses.asdict(claim), sort_keys=True).encode()).hexdigest()[:16]


def changes(claim: Claim, first: Mapping | None) -> str | None:
    """`margin was 0.0; direction was above`: what differs from its first statement; None where nothing does."""
    now = dataclasses.asdict(claim)
    return "; ".join(f"{name} was {then}" for name, then in (first or {}).items() if now.get(name) != then) or None


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
        of = f"of claim {claim.id!r} in {where}"
        if [other.id for other in experiment.claims].count(claim.id) > 1:
            raise UserError(f"{where}: claim {claim.id!r} is made twice")
        choose(f"quantity {of}", claim.quantity, UNITS)
        choose(f"direction {of}", claim.direction, DIRECTIONS)
        choose(f"arm {of}", claim.arm, arms)
        if claim.against is not None:
            choose(f"comparator {of}", claim.against, arms)
        if claim.arm == claim.against:
            raise UserError(f"{where}: claim {claim.id!r} holds {claim.arm!r} against itself")


def judge(claim: Claim, found: Finding, first: Mapping | None = None) -> dict:
    """One row of claims.csv, with the columns COLUMNS. `first`: the claim's fields when it was first analysed."""
    intervals = [(found.low, found.high)]
    if claim.quantity == "accuracy":
        intervals.append((found.seed_low, found.seed_high))
    measured = [(low, high) for low, high in intervals if low is not None and high is not None]
    detectable = max((POWER * (high - low) / 2 for low, high in measured), default=None)
    if found.missing:
        verdict, reason = UNDECIDED, found.missing
    elif len(measured) < len(intervals):
        verdict, reason = UNDECIDED, "no interval over seeds: one seed, or no difference between seeds"
    else:
        verdict, reason = _verdict(claim, measured, detectable)
    row = dataclasses.asdict(claim) | dataclasses.asdict(found)
    row |= dict(detectable=detectable, verdict=verdict, reason=reason)
    row |= dict(fingerprint=fingerprint(claim), changed=changes(claim, first))
    if claim.quantity != "accuracy":
        row["benchmark"] = None
    return {column: row[column] for column in COLUMNS}


def _verdict(claim: Claim, intervals: Sequence[tuple[float, float]], detectable: float) -> tuple[str, str]:
    above = all(low > claim.margin for low, _ in intervals)
    below = all(high < claim.margin for _, high in intervals)
    if not above and not below:
        unit = f" {UNITS[claim.quantity]}" if UNITS[claim.quantity] else ""
        return UNDECIDED, f"detectable: {detectable:.3g}{unit}"
    held = above == (claim.direction == "above")
    both = "both intervals" if len(intervals) > 1 else "the interval"
    return (SUPPORTED if held else CONTRADICTED), f"{both} {'above' if above else 'below'} {claim.margin:g}"
