"""Distances, diversity, histograms, curves and cost, computed by hand."""

import numpy as np
import pandas as pd
import pytest
from support.four_prompts import inputs, logprobs, responses, row, run, runs

from uniapl.analyse import histograms
from uniapl.analyse.measures import LENGTH, UNDER

pytestmark = pytest.mark.filterwarnings("error")


def test_distances_by_hand(tables):
    found = row(tables["distances"], arm="grpo", quantity=LENGTH)
    # The expert writes 5, 5, 5 words. Seed 0 writes 2, 4, 6: (3 + 1 + 1) / 3; seed 1 writes 3, 3, 3: 2.
    assert found.wasserstein == pytest.approx((5 / 3 + 2) / 2)
    # Median differences -1 and -2; KS 2/3 (two of three below 5) and 1.
    assert found.median_difference == pytest.approx(-1.5) and found.ks == pytest.approx(5 / 6)
    # t interval of (5/3, 2): mean 11/6, sd of the mean 1/6, t_{0.975, 1} = 12.7062.
    assert (found.low, found.high) == pytest.approx((11 / 6 - 12.7062 / 6, 11 / 6 + 12.7062 / 6), rel=1e-5)
    assert (found.n_seeds, found.n_responses) == (2, 3)  # prompt 4 is not of the headline benchmark
    own = row(tables["distances"], arm="grpo", quantity=UNDER.format("arm"))
    assert own.wasserstein == pytest.approx(1) and own.median_difference == pytest.approx(-1)
    assert own.energy == pytest.approx(np.sqrt(2))  # all at -2 against all at -1
    # Three prompts may be chance, and leave 1 - 0.025^(1/3) of all prompts open, over a range of 1.
    assert own.energy_low == 0 and own.energy_high == pytest.approx(np.sqrt(2) * (2 - 0.025 ** (1 / 3)))
    assert found.wasserstein_low <= found.wasserstein <= found.wasserstein_high
    base = row(tables["distances"], arm="grpo", quantity=UNDER.format("base"))
    assert (base.wasserstein, base.wilcoxon_p) == (0, 1)
    alone = row(tables["distances"], arm="base")
    assert np.isnan(alone.low) and alone.interval == "none (one seed)"


def test_diversity_by_hand(tables):
    diversity = tables["diversity"]
    # "word word word ...": one distinct bigram. grpo seed 0: 1 + 3 + 5 bigrams, seed 1: 2 + 2 + 2.
    found = row(diversity, arm="grpo", quantity="distinct bigrams (%)")
    assert found.estimate == pytest.approx(100 * (1 / 9 + 1 / 6) / 2)
    # t interval of (1/9, 1/6): sd of the mean 1/36, t_{0.975, 1} = 12.7062.
    assert found.high - found.estimate == pytest.approx(100 * 12.7062 / 36, rel=1e-5)
    assert (found.n_seeds, found.n_responses) == (2, 3)  # prompt 4 is not of the headline benchmark
    # Three lengths make three responses, equal lengths make one.
    assert row(diversity, arm="grpo", quantity="distinct responses (%)").estimate == pytest.approx(
        100 * (1 + 1 / 3) / 2
    )
    # Own tokens under the arm at -1 and -3; what the expert wrote, and the base's view, are no entropy.
    assert row(diversity, arm="grpo", quantity="entropy (nats per token)").estimate == pytest.approx(2)
    assert "base" not in set(diversity[diversity.quantity == "distinct bigrams (%)"].arm)  # one word, no bigram
    expert = diversity[diversity.arm == "expert"].set_index("quantity")
    # "five words are in here", three times.
    assert expert.estimate["distinct bigrams (%)"] == pytest.approx(100 * 4 / 12)
    assert expert.estimate["distinct responses (%)"] == pytest.approx(100 / 3)
    assert "entropy (nats per token)" not in expert.index and set(expert.n_seeds) == {1}
    assert expert.low.isna().all()


def test_tokens_and_not_responses_weigh_equally_in_the_entropy():
    lp = logprobs()
    own = (lp.text == "own") & (lp.under == "self") & (lp.key == "1")
    lp.loc[own, "logprobs"] = pd.Series([[-9.0]] * len(lp))
    found = row(run(inputs(logprobs=lp))["diversity"], arm="grpo", quantity="entropy (nats per token)")
    assert found.estimate == pytest.approx((9 + 2 * (1 + 3)) / 5)


def test_an_empty_response_has_length_zero_and_no_mean_log_probability():
    lp = logprobs()
    lp.loc[(lp.seed == 0) & (lp.key == "1") & (lp.text == "own"), "logprobs"] = pd.Series([[]] * len(lp))
    found = run(inputs(logprobs=lp))["distances"]
    assert row(found, arm="grpo", quantity=UNDER.format("arm")).n_responses == 2
    silent = responses().assign(response="")
    assert row(run(inputs(responses=silent))["distances"], arm="base", quantity=LENGTH).wasserstein == 5


def test_histograms_share_bins_integrate_to_one_and_keep_every_value(tables):
    lengths = tables["lengths"]
    edges = lengths.groupby("arm").bin_left.agg(list)
    assert all(arm == edges["expert"] for arm in edges)
    area = (lengths.density * (lengths.bin_right - lengths.bin_left)).groupby(lengths.arm).sum()
    assert area.to_numpy() == pytest.approx(1)
    # grpo writes 2, 4, 6, 3, 3, 3 words: three of six values in the bin of 3 words.
    assert row(lengths, arm="grpo", bin_left=3).density == pytest.approx(0.5)
    assert set(lengths[lengths.arm == "grpo"].n) == {6} and set(lengths[lengths.arm == "expert"].n) == {3}
    tokens = tables["logprobs"].query("unit == 'token' and text == 'own' and under == 'self'")
    assert set(tokens.n) == {12}  # 2 seeds x 3 prompts x 2 tokens
    means = tables["logprobs"].query("unit == 'response' and text == 'own' and under == 'self'")
    assert set(means.n) == {6} and means.bin_left[means.density > 0].item() <= -2 < means.bin_right.max()


@pytest.mark.parametrize(("low", "high", "least"), [(0, 37, 1), (3, 900, 1), (-7.3, -0.001, 0), (2, 2, 0), (0, 0, 1)])
def test_bins_are_round_few_and_cover_the_values(low, high, least):
    edges = histograms.bins(np.linspace(low, high, 50), least)
    width = edges[1] - edges[0]
    assert edges[0] <= low + 0.01 * (high - low) and edges[-1] > high - 0.01 * (high - low)
    assert 2 <= len(edges) <= histograms.BINS + 3 and width >= least
    assert any(np.isclose(width / 10 ** np.floor(np.log10(width * (1 + 1e-9))), m) for m in (1, 2, 5))


def test_values_outside_the_bulk_are_counted_in_the_outermost_bins():
    values = np.r_[np.zeros(2000), np.ones(2000), 500.0]
    table = histograms._histograms({("x",): values}, "arm", 1.0)
    assert table.bin_right.max() < 10
    assert (table.density * (table.bin_right - table.bin_left)).sum() == pytest.approx(1)


def test_curves_keep_measured_values_only(tables):
    found = tables["curves"]
    assert len(found) == 6
    # Step 9 is no fifth step and not the last: its probe stays, what is logged at every step does not.
    kept = found[found.arm == "uniapl"][["seed", "step", "quantity"]].values.tolist()
    assert kept == [[0, 9, "probe_kl"], [0, 10, "reward"], [1, 3, "reward"]]
    assert row(found, arm="grpo", quantity="probe_kl").to_dict() == dict(
        arm="grpo", seed=0, step=20, quantity="probe_kl", value=3.0
    )
    assert found[(found.arm == "grpo") & (found.quantity == "reward")].value.tolist() == [0.25, 0.5]


def test_cost_accumulates_along_the_chain_and_leaves_unknown_starts_out(tables):
    grpo = row(tables["cost"], arm="grpo")
    assert (grpo.optimizer_steps, grpo.seconds, grpo.peak_memory_mb, grpo.n_seeds) == (15, 15, 6, 2)
    # Seed 0: 7 + 100 from its start, memory 50; seed 1 has no sft run, so its cost is not known.
    uniapl = row(tables["cost"], arm="uniapl")
    assert (uniapl.optimizer_steps, uniapl.peak_memory_mb, uniapl.n_seeds) == (107, 50, 1)
    assert "base" not in set(tables["cost"].arm) and "sft" not in set(tables["cost"].arm)


def test_a_cost_that_was_not_recorded_is_missing_and_not_zero():
    table = run(inputs(runs=runs().assign(rollouts=[1, np.nan, 1, 1, 1, 1])))["cost"]
    assert np.isnan(row(table, arm="grpo").rollouts) and row(table, arm="grpo").seconds == 15
