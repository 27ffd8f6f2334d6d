"""Stage analyse on worlds small enough to count by hand: two arms, two seeds, four prompts."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from uniapl import analyse, stats
from uniapl.analyse import LENGTH, SPENT, UNDER, Inputs, Plan
from uniapl.config import Claim, Experiment
from uniapl.errors import UserError

pytestmark = pytest.mark.filterwarnings("error")

PLAN = Plan(arms=("base", "grpo", "uniapl"), against=("grpo",))
CLAIMS = (
    Claim("C1", "UniAPL beats GRPO.", "ours", "accuracy", "uniapl", "grpo", "above"),
    Claim("C2", "GRPO writes short.", "ours", "length", "grpo", "uniapl", "above"),
)
BOTH = "greedy", "sampled"
TEST = pd.DataFrame(
    {"key": ["1", "2", "3", "4"], "benchmark": ["trained"] * 3 + ["new_types"], "instructions": [1, 2, 1, 1]}
)
INSTRUCTIONS = [("1", 0, "a:x"), ("2", 0, "a:x"), ("2", 1, "b:y"), ("3", 0, "b:y"), ("4", 0, "c:z")]
STRICT = {  # one digit per row of INSTRUCTIONS
    ("base", 0): "00000",
    ("grpo", 0): "11000",
    ("grpo", 1): "01111",
    ("uniapl", 0): "11110",
    ("uniapl", 1): "11011",
}
RESPONSES = {  # words of the responses to prompts 1, 2, 3
    ("base", 0): (1, 1, 1),
    ("grpo", 0): (2, 4, 6),
    ("grpo", 1): (3, 3, 3),
    ("uniapl", 0): (5, 5, 7),
    ("uniapl", 1): (5, 6, 7),
}


def scores(strict=STRICT):
    """Rows of every run; loose follows one instruction more than strict: the first."""
    rows = []
    for (arm, seed), digits in strict.items():
        for decoding in BOTH:
            for (key, index, name), digit in zip(INSTRUCTIONS, digits, strict=True):
                loose = 1 if (key, index) == ("1", 0) else int(digit)
                rows.append((arm, seed, decoding, key, index, name, int(digit), loose))
    columns = "arm seed decoding key index instruction_id strict loose".split()
    return pd.DataFrame(rows, columns=columns)


def responses():
    rows = [
        (arm, seed, key, " ".join(["word"] * n))
        for (arm, seed), counts in RESPONSES.items()
        for key, n in zip("1234", (*counts, 9), strict=True)
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "key", "response"])


def logprobs():
    """Of grpo only: own tokens at -1 and -3 (mean -2), the expert's at -1; under the base all at -4."""
    rows = []
    for seed in (0, 1):
        for key in "1234":
            rows += [
                ("grpo", seed, key, "own", "self", [-1.0, -3.0]),
                ("grpo", seed, key, "own", "base", [-4.0]),
            ]
            rows += [("grpo", seed, key, "expert", u, [v]) for u, v in (("self", -1.0), ("base", -4.0))]
    return pd.DataFrame(rows, columns=["arm", "seed", "key", "text", "under", "logprobs"])


def history():
    rows = [("grpo", 0, 10, 0.25, None), ("grpo", 0, 20, 0.5, 3.0), ("uniapl", 0, 10, 0.75, None)]
    rows += [("uniapl", 0, 9, 0.5, 1.0), ("uniapl", 1, 3, 0.5, None)]
    return pd.DataFrame(rows, columns=["arm", "seed", "step", "reward", "probe_kl"])


def spent(arm, seed, start, steps, memory):
    return {"arm": arm, "seed": seed, "start": start} | dict.fromkeys(SPENT, steps) | {"peak_memory_mb": memory}


def runs():
    """uniapl starts from sft, which is no arm of the experiment and of which only one seed exists."""
    return pd.DataFrame(
        [
            spent("base", 0, "scratch", 1000, 999),
            spent("grpo", 0, "base", 10, 5),
            spent("grpo", 1, "base", 20, 7),
            spent("sft", 0, "base", 100, 50),
            spent("uniapl", 0, "sft", 7, 30),
            spent("uniapl", 1, "sft", 7, 30),
        ]
    )


def inputs(**changes):
    expert = pd.DataFrame({"key": list("1234"), "response": ["five words are in here"] * 4})
    given = Inputs(TEST, expert, scores(), responses(), logprobs(), history(), runs())
    return dataclasses.replace(given, **changes)


def run(given=None, plan=PLAN, resamples=199):
    return analyse.analyse(given or inputs(), plan, rng=np.random.default_rng(0), resamples=resamples)


@pytest.fixture(scope="module")
def tables():
    return run()


def row(table, **wanted):
    if "against" in table:
        wanted = {"decoding": "greedy"} | wanted
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_main_has_the_accuracies_counted_by_hand(tables):
    main = tables["main"]
    # grpo on trained: seed 0 follows prompt 1 of 3 (2 only in part), seed 1 follows 2 and 3.
    cell = dict(arm="grpo", benchmark="trained", decoding="greedy")
    assert row(main, **cell, metric="prompt_strict").estimate == pytest.approx(50)
    # Instructions: 2 of 4 and 3 of 4.
    assert row(main, **cell, metric="inst_strict").estimate == pytest.approx(62.5)
    # Loose adds prompt 1 to seed 1: 1/3 and 3/3; instructions 2 of 4 and 4 of 4.
    assert row(main, **cell, metric="prompt_loose").estimate == pytest.approx(100 * 2 / 3)
    assert row(main, **cell, metric="inst_loose").estimate == pytest.approx(75)
    found = row(main, **cell, metric="inst_strict")
    assert (found.n_seeds, found.n_prompts) == (2, 3)
    assert found.low < found.estimate < found.high
    assert row(main, arm="base", benchmark="trained", decoding="sampled", metric="prompt_strict").n_seeds == 1
    assert len(main) == 3 * 2 * 2 * 4


def test_rows_follow_the_order_of_the_plan(tables):
    assert list(dict.fromkeys(tables["main"].arm)) == ["base", "grpo", "uniapl"]
    assert list(dict.fromkeys(tables["main"].benchmark)) == ["trained", "new_types"]
    assert list(dict.fromkeys(tables["lengths"].arm)) == ["base", "grpo", "uniapl", "expert"]


def test_every_pair_is_compared_once_and_never_with_itself():
    plan = Plan(("base", "grpo", "sft", "both"), ("grpo", "both"))
    assert plan.pairs() == [
        ("base", "grpo"),
        ("sft", "grpo"),
        ("both", "grpo"),
        ("base", "both"),
        ("sft", "both"),
    ]


def test_comparisons_have_the_differences_counted_by_hand(tables):
    found = row(tables["comparisons"], arm="uniapl", against="grpo", benchmark="trained")
    # uniapl follows 3/3 and 2/3 (seed 1: prompt 2 only in part), grpo 1/3 and 2/3.
    assert found.difference == pytest.approx(100 * (5 / 6 - 3 / 6))
    # McNemar: in seed 0 uniapl alone follows 2 and 3 (p = 1/2); in seed 1 each follows one alone (p = 1).
    assert found.mcnemar_p == pytest.approx(0.75)
    assert (found.n_seeds, found.n_seeds_against, found.n_prompts) == (2, 2, 3)
    assert found.family == "prompt_strict, greedy, trained: 2 comparisons"
    # h = 2 asin sqrt(5/6) - 2 asin sqrt(1/2)
    assert found.effect == pytest.approx(2 * np.arcsin(np.sqrt(5 / 6)) - np.pi / 2)
    base = row(tables["comparisons"], arm="base", benchmark="trained")
    # The one run of base against both runs of grpo: 0 against 1 (p = 1), 0 against 2 (p = 1/2).
    assert base.mcnemar_p == pytest.approx(0.75)
    assert np.isnan(base.p_seeds) and "one arm has one seed" in base.method


def test_each_benchmark_is_one_holm_family_per_decoding_and_greedy_comes_first():
    table = run(resamples=999)["comparisons"]
    for _, family in table.groupby("family"):
        assert family.benchmark.nunique() == family.decoding.nunique() == 1
        assert family.p_holm.tolist() == pytest.approx(stats.holm(family.p))
    assert table.family.nunique() == 4
    assert table.decoding.drop_duplicates().tolist() == ["greedy", "sampled"]


def test_a_missing_arm_does_not_shrink_the_family_nor_appear():
    without_base = {run: digits for run, digits in STRICT.items() if run[0] != "base"}
    table = run(inputs(scores=scores(without_base)))["comparisons"]
    assert set(table.arm) == {"uniapl"}
    trained = row(table, benchmark="trained")
    assert trained.p_holm == pytest.approx(min(1, 2 * trained.p))


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


# claims


def claim(quantity, arm="uniapl", against="grpo", direction="above", **rest):
    return Claim("C1", "So it is.", "ours", quantity, arm, against, direction, **rest)


def judged(*claims, given=None, seeds=None, against=("grpo",)):
    plan = dataclasses.replace(PLAN, claims=claims, seeds=seeds or {}, against=against)
    return run(given, plan)["claims"].to_dict("records")


def test_claims_about_accuracy_have_the_numbers_of_the_comparisons_from_either_side(tables):
    forth, back = judged(claim("accuracy"), claim("accuracy", "grpo", "uniapl", "below"))
    found = row(tables["comparisons"], arm="uniapl", against="grpo", benchmark="trained")
    assert [forth[n] for n in ("estimate", "low", "high")] == [found.difference, found.low, found.high]
    assert (forth["seed_low"], forth["seed_high"]) == (found.seed_low, found.seed_high)
    assert [back[n] for n in ("estimate", "low", "seed_high")] == [-found.difference, -found.high, -found.seed_low]
    assert forth["verdict"] == back["verdict"] and (forth["n_seeds"], forth["n_prompts"]) == (2, 3)


def test_a_pair_that_is_not_compared_is_compared_for_its_claim():
    (found,) = judged(claim("accuracy"), against=())
    assert found["estimate"] == pytest.approx(100 * (5 / 6 - 3 / 6)) and found["low"] < found["estimate"]
    (alone,) = judged(claim("accuracy", against=None, margin=50.0))
    assert alone["estimate"] == pytest.approx(100 * 5 / 6) and alone["seed_low"] < 0


def test_against_a_checkpoint_that_all_seeds_share_the_seeds_of_the_arm_decide():
    (found,) = judged(claim("accuracy", "uniapl", "base"))
    # uniapl follows 3/3 and 2/3, the base nothing: mean 5/6, sd of the mean 1/6, t_{0.975, 1} = 12.7062.
    low = 100 * (5 / 6 - 12.7062 / 6)
    assert found["estimate"] == pytest.approx(100 * 5 / 6) and found["seed_low"] == pytest.approx(low, rel=1e-5)


def test_claims_about_one_value_per_seed_are_paired_by_seed():
    # Lengths 5, 5, 7 and 5, 6, 7 words of uniapl, the expert's 5: 2/3 and 1; grpo 5/3 and 2.
    (found,) = judged(claim("length", direction="below"))
    assert found["estimate"] == pytest.approx(-1) and found["low"] == pytest.approx(found["high"])
    assert (found["verdict"], found["n_seeds"], found["n_prompts"]) == ("supported", 2, 3)
    (found,) = judged(claim("entropy", "grpo", None, margin=1.5))
    assert (found["estimate"], found["verdict"]) == (2, "supported")
    (found,) = judged(claim("diversity", "grpo", None, margin=40))
    assert found["estimate"] == pytest.approx(100 * (1 / 9 + 1 / 6) / 2) and found["verdict"] == "not decided"


def test_claims_about_training_take_the_last_auc_and_the_mean_distance_of_the_last_fifth():
    rows = [("uniapl", seed, step, 0.9 - step / 200 + seed / 100, step) for seed in (0, 1) for step in range(101)]
    history = pd.DataFrame(rows, columns=["arm", "seed", "step", "probe_auc", "distance"])
    history.loc[history.step % 20 > 0, "probe_auc"] = None
    auc, distance = judged(
        claim("auc", against=None, direction="below", margin=0.6),
        claim("distance", against=None, margin=90.0),
        given=inputs(history=history.sample(frac=1, random_state=0)),
    )
    assert auc["estimate"] == pytest.approx(0.4 + 0.005) and auc["n_seeds"] == 2
    assert distance["estimate"] == pytest.approx(np.mean(range(81, 101)))
    assert pd.isna(auc["n_prompts"])


def test_a_claim_on_fewer_seeds_than_planned_is_not_decided_and_says_how_many():
    seeds = dict(grpo=(0, 1), uniapl=(0, 1, 2))
    (found,) = judged(claim("length", direction="below"), seeds=seeds)
    assert (found["verdict"], found["reason"]) == ("not decided", "2 of 3 seeds of uniapl have length")
    (found,) = judged(claim("distance"), seeds=seeds)
    assert found["reason"] == "0 of 3 seeds of uniapl have distance, 0 of 2 seeds of grpo have distance"
    assert pd.isna(found["estimate"]) and found["n_seeds"] == 0
    without = {run: digits for run, digits in STRICT.items() if run[0] != "grpo"}
    (found,) = judged(claim("accuracy"), given=inputs(scores=scores(without)), seeds=seeds)
    assert "0 of 2 seeds of grpo have accuracy on trained" in found["reason"] and pd.isna(found["estimate"])
    (found,) = judged(claim("accuracy", benchmark="new_tops"))
    assert "accuracy on new_tops" in found["reason"]


def test_claims_move_no_other_number(tables):
    again = run(plan=dataclasses.replace(PLAN, claims=(claim("accuracy"), claim("length"))))
    for name in tables.keys() - {"claims"}:
        assert_frame_equal(tables[name], again[name], check_exact=True)


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
    edges = analyse.bins(np.linspace(low, high, 50), least)
    width = edges[1] - edges[0]
    assert edges[0] <= low + 0.01 * (high - low) and edges[-1] > high - 0.01 * (high - low)
    assert 2 <= len(edges) <= analyse.BINS + 3 and width >= least
    assert any(np.isclose(width / 10 ** np.floor(np.log10(width * (1 + 1e-9))), m) for m in (1, 2, 5))


def test_values_outside_the_bulk_are_counted_in_the_outermost_bins():
    values = np.r_[np.zeros(2000), np.ones(2000), 500.0]
    table = analyse._histograms({("x",): values}, "arm", 1.0)
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


def test_types_pool_seeds_and_count_instructions(tables):
    # grpo, a:x on trained: prompts 1 and 2, strict 1 1 and 0 1: 3 of 4 verdicts over 2 instructions.
    found = row(tables["types"], arm="grpo", instruction_id="a:x", benchmark="trained")
    assert (found.estimate, found.n, found.n_seeds) == (75, 2, 2)


def test_shuffled_rows_give_identical_tables():
    def shuffled(frame):
        return frame.sample(frac=1, random_state=3).reset_index(drop=True)

    rng = np.random.default_rng(1)
    given = inputs(logprobs=logprobs().assign(logprobs=[rng.normal(-1, 1, 5) for _ in range(len(logprobs()))]))
    tables = run(given)
    names = [f.name for f in dataclasses.fields(given)]
    again = run(dataclasses.replace(given, **{name: shuffled(getattr(given, name)) for name in names}))
    assert tables.keys() == again.keys()
    for name in tables:
        assert_frame_equal(tables[name], again[name], check_exact=True)


@pytest.mark.parametrize("lost", [("uniapl", 1), ("grpo", 1)])
def test_a_missing_seed_changes_the_rows_of_its_arm_only(tables, lost):
    fewer = run(inputs(scores=scores({run: digits for run, digits in STRICT.items() if run != lost})))
    before, after = tables["main"], fewer["main"]
    arm = lost[0]
    assert set(after.n_seeds[after.arm == arm]) == {1} and len(after) == len(before)
    assert_frame_equal(before[before.arm != arm], after[after.arm != arm], check_exact=True)
    # What remains of grpo is 1 of 3, of uniapl 3 of 3: not the mean with a zero.
    cell = dict(benchmark="trained", decoding="greedy", metric="prompt_strict")
    assert row(after, arm=arm, **cell).estimate == pytest.approx({"grpo": 100 / 3, "uniapl": 100}[arm])
    untouched = ["arm", "benchmark", "difference", "low", "high", "p"]
    of_base = [t["comparisons"].query("arm == 'base'")[untouched] for t in (tables, fewer)]
    assert of_base[0].equals(of_base[1]) == (arm == "uniapl")


def test_p_values_of_three_seeds_are_summarised_by_their_median():
    seeds, keys = pd.Index([0, 1, 2], name="seed"), list("abcdef")
    none = pd.DataFrame(0, seeds, keys)
    # Only A passes 0, 2 and 6 prompts: p = 1, 1/2 and 1/32.
    some = pd.DataFrame([[0] * 6, [1, 1, 0, 0, 0, 0], [1] * 6], seeds, keys)
    assert analyse._mcnemar(some, none) == pytest.approx(1 / 2)
    assert analyse._mcnemar(some, none.loc[[1]]) == pytest.approx(1 / 2)
    assert analyse._mcnemar(some.loc[[0, 1]], none.loc[[1, 2]]) == pytest.approx(1 / 2)  # seed 1 is common
    assert analyse._mcnemar(some.loc[[0, 1]], none.loc[[2]].reindex([2, 3], fill_value=0)) is None
    # Signed-rank p of 6 equal signs, no ties: 2 / 2^6; of no differences: 1.
    pairs = [
        dict(arm="x", quantity=LENGTH, seed=s, key=k, own=s * i, expert=0.0)
        for s in (0, 1, 2)
        for i, k in enumerate(keys, start=1)
    ]
    assert analyse._distances(pd.DataFrame(pairs)).wilcoxon_p.item() == pytest.approx(2 / 64)


def test_a_run_that_misses_a_prompt_is_refused_by_name():
    for broken in (scores()[1:], pd.concat([scores(), scores()[:1]]), scores().assign(key="9")):
        with pytest.raises(UserError, match="score/base/seed0/greedy.csv"):
            run(inputs(scores=broken))
    with pytest.raises(UserError, match="0 or 1"):
        run(inputs(scores=scores().assign(strict=0.5)))


def test_an_expert_without_a_response_is_refused():
    with pytest.raises(UserError, match="key 2"):
        run(inputs(expert=inputs().expert.drop(index=1)))


def test_stages_that_have_not_run_leave_their_tables_empty_but_headed():
    given = inputs()
    empty = {n: getattr(given, n).iloc[:0] for n in ("responses", "logprobs", "history", "runs")}
    tables = run(dataclasses.replace(given, **empty), Plan(("grpo",), ()))
    for name in ("comparisons", "claims", "distances", "diversity", "lengths", "logprobs", "curves", "cost"):
        assert tables[name].empty and len(tables[name].columns) > 4


# files


def write(root):
    """The hand-made world as the stages before would write it."""
    given = inputs()
    (root / "data").mkdir(parents=True)
    test = [
        {
            "key": int(r.key),
            "benchmark": r.benchmark,
            "instruction_id_list": ["x"] * r.instructions,
            "kwargs": [],
        }
        for r in TEST.itertuples()
    ]
    texts = [{"key": int(r.key), "response": r.response} for r in given.expert.itertuples()]
    for name, rows in (("test", test), ("expert", texts)):
        (root / f"data/{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    for (arm, seed), _ in STRICT.items():
        folders = {s: root / s / arm / f"seed{seed}" for s in ("score/test", "generate/test", "train")}
        for folder in folders.values():
            folder.mkdir(parents=True)

        def of(frame, arm=arm, seed=seed):
            return frame[(frame.arm == arm) & (frame.seed == seed)].drop(columns=["arm", "seed"])

        for decoding in BOTH:
            mine = of(given.scores)
            mine = mine[mine.decoding == decoding].drop(columns="decoding").assign(benchmark="as in the test")
            mine.to_csv(folders["score/test"] / f"{decoding}.csv", index=False)
        of(given.responses).to_parquet(folders["generate/test"] / "sampled.parquet")
        if len(of(given.logprobs)):
            of(given.logprobs).to_parquet(folders["generate/test"] / "logprobs.parquet")
        if len(of(given.history)):
            of(given.history).to_csv(folders["train"] / "history.csv", index=False)
    for record in given.runs.to_dict("records"):
        folder = root / f"train/{record['arm']}/seed{record['seed']}"
        folder.mkdir(parents=True, exist_ok=True)
        cost = {name: record[name] for name in (*SPENT, "peak_memory_mb")}
        (folder / "run.json").write_text(json.dumps({"start_arm": record["start"], "cost": cost}))


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Writes the world and returns a function that runs the command on it and reads what it wrote."""
    write(tmp_path / "tiny")
    arms = {name: SimpleNamespace(name=name) for name in PLAN.arms}
    experiment = Experiment("headline", "?", "", (arms["grpo"], arms["uniapl"]), ("grpo",), claims=CLAIMS)
    monkeypatch.setattr(analyse, "load_experiment", lambda name: experiment)
    monkeypatch.setattr(analyse, "load_scale", lambda name: SimpleNamespace(name=name, shared=[arms["base"]]))
    monkeypatch.setattr(analyse, "seeds_of", lambda scale, experiment, arm: (0,) if arm.name == "base" else (0, 1))

    def run_command():
        out = tmp_path / "out"
        analyse.main(["--root", str(tmp_path / "tiny"), "--experiment", "headline", "--out", str(out)])
        return {path.stem: pd.read_csv(path) for path in out.glob("*.csv")}

    return run_command


def test_the_command_writes_what_analyse_returns(command, tmp_path):
    found = command()
    seeds = {arm: (0,) if arm == "base" else (0, 1) for arm in PLAN.arms}
    expected = run(plan=dataclasses.replace(PLAN, claims=CLAIMS, seeds=seeds), resamples=9999)
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        assert_frame_equal(found[name], table, check_dtype=False, rtol=1e-12, obj=name)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    command()
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_command_names_a_missing_run_and_goes_on(command, tmp_path, capsys):
    (tmp_path / "tiny/score/test/uniapl/seed1/greedy.csv").unlink()
    main = command()["main"]
    assert "score/test: no greedy.csv, left out: uniapl/seed1\n" in capsys.readouterr().err
    assert set(main.n_seeds[(main.arm == "uniapl") & (main.decoding == "greedy")]) == {1}
    assert set(main.n_seeds[(main.arm == "uniapl") & (main.decoding == "sampled")]) == {2}


def test_the_command_ends_in_one_line_without_scores_or_columns(command, tmp_path, capsys):
    path = tmp_path / "tiny/score/test/grpo/seed0/greedy.csv"
    path.write_text("key,index\n1,0\n")
    with pytest.raises(SystemExit):
        command()
    assert f"error: {path}: no column instruction_id, loose, strict" in capsys.readouterr().err
    for path in (tmp_path / "tiny/score").rglob("*.csv"):
        path.unlink()
    with pytest.raises(SystemExit):
        command()
    assert "no scores of base, grpo, uniapl" in capsys.readouterr().err.splitlines()[-1]
