"""Accuracies, comparisons and instruction types, counted by hand."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from support.four_prompts import STRICT, inputs, row, run, scores

from uniapl import stats
from uniapl.analyse import accuracy, measures
from uniapl.analyse.inputs import Question
from uniapl.analyse.measures import LENGTH

pytestmark = pytest.mark.filterwarnings("error")


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
    minus = main[main.metric == "prompt_strict minus grpo"]
    assert minus[["arm", "benchmark"]].values.tolist() == [
        [arm, benchmark] for arm in ("base", "uniapl") for benchmark in ("trained", "new_types")
    ]
    assert minus.estimate.tolist() == pytest.approx([-50, -50, 100 * (5 / 6 - 1 / 2), 0])
    assert len(main) == 3 * 2 * 2 * 4 + len(minus)


def test_rows_follow_the_order_of_the_plan(tables):
    assert list(dict.fromkeys(tables["main"].arm)) == ["base", "grpo", "uniapl"]
    assert list(dict.fromkeys(tables["main"].benchmark)) == ["trained", "new_types"]
    assert list(dict.fromkeys(tables["lengths"].arm)) == ["base", "grpo", "uniapl", "expert"]


def test_every_pair_is_compared_once_and_never_with_itself():
    plan = Question(("base", "grpo", "sft", "both"), ("grpo", "both"))
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


def test_predictions_of_a_rerun_are_those_of_seeds(tables):
    # uniapl on trained: 1 and 2/3, s^2 = 1/18; t_{0.975, 1} = 12.7: all of [0, 1] is open. base has one run.
    found = row(tables["main"], arm="uniapl", benchmark="trained", decoding="greedy", metric="prompt_strict")
    assert (found.predict_low, found.predict_high) == (0, 100)
    base = tables["main"][(tables["main"].arm == "base")]
    assert base.predict_low.isna().all() and base.predict_high.isna().all()
    seeds, keys = pd.Index([0, 1, 2], name="seed"), [str(i) for i in range(60)]
    a, b = (
        pd.DataFrame([[i < 60 * share for i in range(60)] for share in shares], seeds, keys).astype(float)
        for shares in ((0.5, 0.6, 0.7), (0.4, 0.45, 0.65))
    )
    cells = {(arm, "trained", "greedy"): pd.concat({"prompt_strict": x}, axis=1) for arm, x in (("a", a), ("b", b))}
    for shared in (True, False):
        plan = Question(("a", "b"), ("b",), shared_seeds=shared)
        table = accuracy.comparisons(cells, plan, ["trained"], np.random.default_rng(0), 199)
        again = stats.predict_difference(a, b, shared_seeds=shared)
        assert table.predict_low.item() == pytest.approx(100 * again.low)
        assert table.predict_high.item() == pytest.approx(100 * again.high)
        of_minus = accuracy.minus(table, plan)
        assert of_minus.predict_low.item() == table.predict_low.item()
        turned = accuracy.of_pair(table, "b", "a").iloc[0]
        assert (turned.predict_low, turned.predict_high) == (-table.predict_high.item(), -table.predict_low.item())
        test = scipy_stats.ttest_rel if shared else partial(scipy_stats.ttest_ind, equal_var=False)
        assert table.p_seeds.item() == pytest.approx(test(a.mean(axis=1), b.mean(axis=1)).pvalue)


def test_seeds_are_paired_only_where_both_arms_have_the_same():
    plan = Question(("a", "b"), ("b",), shared_seeds=True)
    three, two = pd.DataFrame(index=[0, 1, 2]), pd.DataFrame(index=[0, 1])
    assert plan.pairs_seeds(three, three) and not plan.pairs_seeds(three, two)
    assert not Question(("a", "b"), ("b",)).pairs_seeds(three, three)


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


def test_types_pool_seeds_and_count_instructions(tables):
    # grpo, a:x on trained: prompts 1 and 2, strict 1 1 and 0 1: 3 of 4 verdicts over 2 instructions.
    found = row(tables["types"], arm="grpo", instruction_id="a:x", benchmark="trained")
    assert (found.estimate, found.n, found.n_seeds) == (75, 2, 2)


def test_p_values_of_three_seeds_are_summarised_by_their_median():
    seeds, keys = pd.Index([0, 1, 2], name="seed"), list("abcdef")
    none = pd.DataFrame(0, seeds, keys)
    # Only A passes 0, 2 and 6 prompts: p = 1, 1/2 and 1/32.
    some = pd.DataFrame([[0] * 6, [1, 1, 0, 0, 0, 0], [1] * 6], seeds, keys)
    assert accuracy._mcnemar(some, none) == pytest.approx(1 / 2)
    assert accuracy._mcnemar(some, none.loc[[1]]) == pytest.approx(1 / 2)
    assert accuracy._mcnemar(some.loc[[0, 1]], none.loc[[1, 2]]) == pytest.approx(1 / 2)  # seed 1 is common
    assert accuracy._mcnemar(some.loc[[0, 1]], none.loc[[2]].reindex([2, 3], fill_value=0)) is None
    # Signed-rank p of 6 equal signs, no ties: 2 / 2^6; of no differences: 1.
    pairs = [
        dict(arm="x", quantity=LENGTH, seed=s, key=k, own=s * i, expert=0.0)
        for s in (0, 1, 2)
        for i, k in enumerate(keys, start=1)
    ]
    found = measures.distances(pd.DataFrame(pairs), Question(("x",), ()), np.random.default_rng(0), 99)
    assert found.wilcoxon_p.item() == pytest.approx(2 / 64)
