"""Small samples beside two packages that others made for the same use: where they agree, and where not and why.

Neither is in the lock, and nothing but these tests imports them. To have them, in a folder of its own:

    pip install --target FOLDER --no-deps evalci==0.1.0 evalstats==0.3.3\
        scikit-posthocs==0.17.1 statsmodels==0.15.0 patsy==1.0.3 plotext==6.1.0 seaborn==0.13.2
    PYTHONPATH=$PWD:FOLDER pytest tests/stats/test_stats_peers.py

docs/statistics.md has the numbers of the last test.
"""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from uniapl import stats
from uniapl.stats import small

REASON = "not installed: the docstring of tests/stats/test_stats_peers.py says how"
evalci = pytest.importorskip("evalci", reason=REASON)
evalstats = pytest.importorskip("evalstats.core.resampling", reason=REASON)
paired = pytest.importorskip("evalstats.core.paired", reason=REASON)

COUNTS = [(k, n) for n in (1, 2, 5, 20, 88) for k in range(n + 1)]
RATES = (0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)
WORST = {  # n: coverage in % at the worst of all pairs of RATES
    1: dict(ours=98.0, bonett_price=98.0, newcombe=81.0, tango=81.0),
    5: dict(ours=99.3, bonett_price=94.9, newcombe=90.4, tango=90.4),
    10: dict(ours=98.5, bonett_price=94.1, newcombe=90.4, tango=90.4),
    20: dict(ours=97.4, bonett_price=93.6, newcombe=94.0, tango=94.1),
}
WIDER = {1: 1.09, 5: 1.31, 10: 1.22, 20: 1.15}  # than Bonett and Price's, over all outcomes


def ours(a, b):
    return small.paired_bounds(a - b, 1.0)


def tango(a, b):
    return evalstats.tango_scc_paired_ci(a, b, 0.05, c=0.0)


INTERVALS = dict(
    ours=ours,
    bonett_price=evalstats.bonett_price_paired_ci,  # evalstats takes it for 0/1 scores if not told otherwise
    newcombe=evalstats.newcombe_mover_paired_ci,
    tango=tango,
)


def scores(both, only_a, only_b, neither):
    """0/1 scores (n,) of A and B with these numbers of prompts."""
    cells = [both, only_a, only_b, neither]
    return np.repeat([1.0, 1.0, 0.0, 0.0], cells), np.repeat([1.0, 0.0, 1.0, 0.0], cells)


def cells(n):
    """Every (both, only A, only B, neither) of n prompts."""
    return [(i, j, k, n - i - j - k) for i, j, k in itertools.product(range(n + 1), repeat=3) if i + j + k <= n]


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_intervals_of_a_share_are_those_of_both(k, n):
    passed = (np.arange(n) < k).astype(float)
    wilson, exact = small.wilson(k, n), small.clopper_pearson(k, n)
    assert wilson == pytest.approx(tuple(evalci.ci(passed, method="wilson")))
    assert wilson == pytest.approx(evalstats.wilson_ci(k, n, 0.05))
    assert exact == pytest.approx(tuple(evalci.ci(passed, method="clopper-pearson")))
    assert exact == pytest.approx(evalstats.clopper_pearson_ci(k, n, 0.05))


@pytest.mark.parametrize("n", [1, 5, 20, 88])
def test_bounds_of_equal_values_are_evalstats(n):
    for value, low, high in ((0, 0, 1), (0.5, 0, 1), (1, 0, 1), (0.25, -1, 1), (7, 0, 7)):
        assert small.constant_bounds(value, n, low, high) == pytest.approx(
            evalstats.degenerate_sample_ci(value, n, 0.05, lo=low, hi=high)
        )


@pytest.mark.parametrize("n", range(1, 13))  # evalci enumerates up to 12
def test_flipped_signs_are_evalcis(n):
    d = np.random.default_rng(n).choice([-1.0, -0.5, 0.0, 0.5, 1.0], n)
    assert small.sign_flip(d) == pytest.approx(evalci.compare(d, np.zeros(n), n_resamples=9).p_value)


def test_mcnemar_holm_and_benjamini_hochberg_are_evalcis():
    models = {f"m{i}": (np.random.default_rng(i).random(30) < 0.3 + 0.15 * i).astype(float) for i in range(4)}
    frame = pd.concat(pd.DataFrame(dict(model=m, item_id=range(30), score=x)) for m, x in models.items())
    options = dict(method="mcnemar", n_resamples=9)
    for correction, adjust in (("holm", stats.holm), ("bh", stats.benjamini_hochberg)):
        theirs = evalci.multi_compare(frame, correction=correction, **options)
        assert len(theirs) == 6 and theirs.p_value.min() < 0.01
        p = [stats.mcnemar(models[a], models[b]).p for a, b in zip(theirs.model_a, theirs.model_b, strict=True)]
        assert p == pytest.approx(theirs.p_value)
        assert adjust(p) == pytest.approx(theirs.p_adj)


def test_at_five_of_five_prompts_both_are_certain_and_the_exact_test_is_not():
    a, b = scores(0, 5, 0, 0)
    found = stats.compare(a[None], b[None], rng=np.random.default_rng(0))
    assert found.p == 1 / 16 and found.low < 0
    theirs = evalci.compare(a, b, n_resamples=99)
    assert theirs.p_value == 1 / 16 and tuple(theirs.ci) == (1, 1)  # the bootstrap alone, beside an exact p
    assert tuple(evalci.ci(a, method="bootstrap")) == (1, 1)
    assert all(INTERVALS[name](a, b)[0] > 0 for name in ("bonett_price", "newcombe", "tango"))
    assert paired._mcnemar_midp_p(a, b) == pytest.approx(1 / 32)  # what evalstats reports beside them


@pytest.mark.parametrize("n", WORST)
def test_bounds_of_pairs_are_wider_than_evalstats_and_they_alone_keep_95_percent(n):
    outcomes = cells(n)
    bounds = {name: np.array([of(*scores(*x)) for x in outcomes]) for name, of in INTERVALS.items()}
    for name in ("bonett_price", "tango"):
        assert (bounds["ours"][:, 0] <= bounds[name][:, 0] + 1e-9).all()
        assert (bounds["ours"][:, 1] >= bounds[name][:, 1] - 1e-9).all()
    widths = {name: np.ptp(x, axis=1).mean() for name, x in bounds.items()}
    assert widths["ours"] / widths["bonett_price"] == pytest.approx(WIDER[n], abs=0.006)
    worst = dict.fromkeys(bounds, 100.0)
    for p, q in itertools.product(RATES, RATES):
        chances = scipy_stats.multinomial.pmf(outcomes, n, [p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q)])
        for name, (low, high) in ((name, x.T) for name, x in bounds.items()):
            held = (low - 1e-9 <= p - q) & (p - q <= high + 1e-9)
            worst[name] = min(worst[name], 100 * chances[held].sum())
    assert worst == pytest.approx(WORST[n], abs=0.06)
