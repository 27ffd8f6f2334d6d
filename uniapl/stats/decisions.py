"""Which of a family of claims are decided: those that hold after Holm's adjustment, and no others.

With a base effect that the intervals do not contain, and with ten claims beside each other, an unadjusted interval on
one side of the margin is no finding: in the worlds of docs/statistics.md without any difference a family of ten has a
verdict in 20 to 25 % of cases. Holm 1979 keeps the chance of one or more wrong ones in the family at alpha.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from uniapl.stats.multiplicity import holm

ALPHA = 0.05
SIDES = ("above", "below", "within")


@dataclass(frozen=True)
class Test:
    """A claim's measurement: every interval that must agree, and the larger p of the tests that belong to them.

    `p` is two-sided with the margin as null hypothesis; None: not tested. Of a claim "within" the margin (on either
    side of 0) it is the lesser of twice the larger p of the two one-sided tests, which supports it, and the p of the
    nearer edge, which contradicts it; both cannot be small.
    """

    __test__ = False  # pytest's

    intervals: tuple[tuple[float, float], ...]
    p: float | None
    direction: str = "above"
    margin: float = 0.0


@dataclass(frozen=True)
class Decision:
    """`held` True: supported, False: contradicted, None: not decided; low, high: the narrowest span that holds every
    unadjusted interval, to be shown beside "not decided"; None where there is none."""

    held: bool | None
    p_holm: float | None
    low: float | None
    high: float | None


def decide(tests: Sequence[Test], *, alpha: float = ALPHA, family: int | None = None) -> list[Decision]:
    """A decision per claim of one family, in their order.

    Decided is a claim whose every interval lies on one side of the margin and whose Holm-adjusted p is below `alpha`.
    `family`: the number of planned claims, those included that have no test. Default: all of `tests`. Raises ValueError
    for an unknown direction, a "within" of no margin, p outside [0, 1], or a family smaller than its tests.
    """
    for test in tests:
        if test.direction not in SIDES or (test.direction == "within" and not test.margin > 0):
            raise ValueError(f"direction must be one of {', '.join(SIDES)}, within of a margin above 0, got {test}")
    tested = [i for i, test in enumerate(tests) if test.p is not None]
    adjusted = holm([tests[i].p for i in tested], family=len(tests) if family is None else family)
    p_holm = dict(zip(tested, adjusted.tolist(), strict=True))
    return [_decision(test, p_holm.get(i), alpha) for i, test in enumerate(tests)]


def _decision(test: Test, p_holm: float | None, alpha: float) -> Decision:
    bounds = test.intervals
    low, high = (min(x for x, _ in bounds), max(y for _, y in bounds)) if bounds else (None, None)
    if p_holm is None or not p_holm < alpha or low is None:
        return Decision(None, p_holm, low, high)
    above, below = low > test.margin, high < (-test.margin if test.direction == "within" else test.margin)
    if test.direction == "within":
        held = True if -test.margin < low and high < test.margin else False if above or below else None
    else:
        held = None if not above and not below else (test.direction == "above") == above
    return Decision(held, p_holm, low, high)
