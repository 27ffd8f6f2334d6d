"""Calibration: the simulated worlds are as stated, the quick paths are those of the project, error rates hold."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as distributions

from benchmarks import calibration, calibration_base
from benchmarks.calibration import World
from benchmarks.calibration_base import SharedWorld
from uniapl import stats
from uniapl.analyse import claims
from uniapl.config import Claim

WORLD = World(seeds=3, prompts=40, seed_sd=4, interaction=0.4)


def generator(seed=0):
    return np.random.default_rng(seed)


def test_a_world_has_the_accuracy_the_seeds_and_the_difference_it_states():
    a, b = replace(WORLD, accuracy=0.7, difference=0.1, seeds=4, prompts=400).scores(500, generator())
    assert a.mean() == pytest.approx(0.75, abs=0.005) and b.mean() == pytest.approx(0.65, abs=0.005)
    seeds = World(4, 400, 4, 0.4).scores(500, generator())
    found = [stats.components(x, y) for x, y in zip(*seeds, strict=True)]
    assert np.mean([c.seed_a for c in found]) == pytest.approx(0.04**2, rel=0.1)
    alike = World(3, 400, 0, 0.0).scores(500, generator())
    assert np.mean([stats.components(x, y).interaction for x, y in zip(*alike, strict=True)]) < 0.004
    assert replace(WORLD, base=True).scores(2, generator())[1].shape == (2, 1, 40)


def test_quick_paths_are_those_of_the_project():
    a, b = WORLD.scores(1, generator())
    found = stats.compare(a[0], b[0], rng=generator())
    assert calibration.welch_bounds(a, b) == pytest.approx(np.array([[found.seed_low], [found.seed_high]]))
    drawn = calibration.arm_draws(a, 9999, generator())[:, 0]
    alone = stats.interval(a[0], rng=generator())
    assert np.quantile(drawn, calibration.QUANTILES) == pytest.approx((alone.low, alone.high))


def test_redrawn_seeds_have_the_distribution_computed_by_hand():
    # A: seeds of 1 and 0, B: 0. The mean of two drawn seeds is 0, 1/2, 1: 95 % quantiles 0 and 1.
    a, b = np.ones((1, 2, 8)) * [[1], [0]], np.zeros((1, 2, 8))
    assert calibration.redrawn_bounds(a, b, 999, generator()).tolist() == [[0], [1]]


def judged(world, worlds, rng):
    """Verdicts of `judge` on "A is above B", and whether `compare` covers the truth."""
    claim = Claim("c", "A is above B", "ours", "accuracy", "a", "b", "above")
    for a, b in zip(*world.scores(worlds, rng), strict=True):
        c = stats.compare(a, b, rng=rng, resamples=999)
        finding = claims.Finding(c.estimate, c.low, c.high, c.seed_low, c.seed_high, c.n_seeds_a, c.n_prompts)
        yield claims.judge(claim, finding)["verdict"], c.low <= world.difference <= c.high


@pytest.mark.slow
@pytest.mark.parametrize(
    "world", [World(3, 128, 4, 0.0), World(3, 128, 4, 0.4), World(5, 128, 2, 0.0), World(5, 128, 2, 0.4)]
)
def test_verdicts_and_intervals_keep_their_rates(world):
    found = list(judged(world, 800, generator()))
    wrong = np.mean([verdict != claims.UNDECIDED for verdict, _ in found])
    assert wrong <= distributions.binom.ppf(0.999, 800, 0.05) / 800
    assert np.mean([covered for _, covered in found]) >= distributions.binom.ppf(0.001, 800, 0.95) / 800


@pytest.mark.slow
def test_the_table_in_small():
    null = [World(*x) for x in itertools.product((3, 5), (541,), (0, 2, 8), (0.0, 0.4))]
    found = [calibration.measure(world, 1000, 499, seed) for seed, world in enumerate(null)]
    for name in ("compare", "one arm"):
        assert min(x[name] for x in found) >= 94 - 2.2  # three standard errors of 1,000 worlds
        assert np.mean([x[name] for x in found]) >= 94.7
    assert np.mean([x["verdict"] for x in found]) <= 5
    assert min(x["seeds redrawn"] for x in found) < 88 and min(x["t over seeds"] for x in found) < 80


@pytest.mark.slow
def test_power_at_541_prompts_is_what_the_formula_says():
    found = calibration.measure(World(5, 541, 2, 0.4, difference=0.05), 1000, 499, 0)
    assert found["above"] == pytest.approx(found["formula"], abs=8) and found["below"] < 1


def test_true_distances_are_those_of_large_samples():
    x = distributions.norm.ppf((np.arange(4000) + 0.5) / 4000)
    found = stats.distance(x + 0.3, x)
    assert calibration.true_distances(0.3, 0.0) == pytest.approx((found.ks, found.wasserstein, found.energy), rel=0.01)
    assert calibration.true_distances(0.0, 0.0) == (0, 0, 0)
    assert calibration.true_distances(0.0, 0.1)[1] == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.01)


@pytest.mark.slow
def test_distances_and_aggregates_keep_their_rates():
    found = [calibration.measure_distances(shift, 0.08, 3, 128, 300, 299, 0) for shift in (0.0, 0.2)]
    assert min(x[name] for x in found for name in ("wasserstein", "energy", "two arms")) >= 94 - 4.1  # three errors
    assert (
        calibration.measure_aggregates(3, 400, 299, 0)["iqm"]
        < 90
        < calibration.measure_aggregates(10, 400, 299, 0)["iqm"]
    )


def test_a_base_is_shared_by_the_arms_of_a_seed_and_not_by_the_rerun():
    (a, b), (again, _) = SharedWorld(4, 300, 0.01, 4, 0.0).runs(300, generator())
    means = [x.mean(axis=2) - x.mean(axis=(1, 2))[:, None] for x in (a, b, again)]
    assert a.mean() == pytest.approx(0.6, abs=0.01)
    assert np.corrcoef(means[0].ravel(), means[1].ravel())[0, 1] > 0.5
    assert abs(np.corrcoef(means[0].ravel(), means[2].ravel())[0, 1]) < 0.1
    (_, alone), _ = SharedWorld(4, 300, 0.01, 4, 0.0, inherited=0.0).runs(300, generator())
    own = alone.mean(axis=2) - alone.mean(axis=(1, 2))[:, None]
    assert own.std() < 0.75 * means[1].std()


def test_the_rates_of_shared_seeds_are_those_of_compare():
    world = SharedWorld(3, 200, 2, 4, 0.4)
    (a, b), again = world.runs(100, generator(5))
    found, kept = calibration_base.measure(world, 100, 99, 5), {way: [] for way in calibration_base.WAYS}
    for x, y, x2, y2 in zip(a, b, *again, strict=True):
        for way, rows in kept.items():
            p = stats.predict_difference(x, y, shared_seeds=way == "paired")
            rows.append(p.low <= x2.mean() - y2.mean() <= p.high)
    assert [found[way, "predicts"] for way in kept] == [100 * np.mean(rows) for rows in kept.values()]
    text = calibration_base.rows_of(
        {replace(world, seeds=k, difference=d): found for k in (3, 5) for d in calibration_base.DIFFERENCES}, [4]
    )
    assert found["one arm", "predicts"] == 100 * np.mean(
        [(p := stats.predict_mean(x)).low <= x2.mean() <= p.high for x, x2 in zip(a, again[0], strict=True)]
    )
    assert [len(row) for row in text] == [9, 9] and text[1][0] == "5 seeds, base sd 4"


@pytest.mark.parametrize("worlds", ["0", "50", "150", "-100"])
def test_worlds_that_no_batches_make_are_refused(worlds, capsys):
    with pytest.raises(SystemExit) as left:
        calibration.main(["--worlds", worlds])
    assert left.value.code == 2 and "--worlds must be a positive multiple of 100" in capsys.readouterr().err


def test_the_report_has_every_cell():
    worlds = calibration.cells()
    names = (*calibration.INTERVALS, "verdict", "above", "formula")
    text = calibration.report({world: dict.fromkeys(names, 97.1) for world in worlds})
    rows = [line for line in text.splitlines() if line.startswith("| ") and "--:" not in line]
    assert len(rows) == 4 + 12 + 8 + 4 + 3 and "97.1 / 97.1" in text and "97 (97)" in text
