"""Transfer, aggregates, differences of distances and of types, and what is missing, counted by hand."""

import dataclasses

import pandas as pd
import pytest
from support.four_prompts import CLAIMS, PLAN, STRICT, TEST, inputs, row, run, scores

from uniapl import stats
from uniapl.analyse.aggregate import IMPROVED, IQM
from uniapl.analyse.measures import LENGTH, UNDER
from uniapl.analyse.summary import COLUMNS, comparator

pytestmark = pytest.mark.filterwarnings("error")


def test_transfer_is_the_difference_to_the_base_on_every_benchmark(tables):
    found = tables["transfer"].set_index(["arm", "benchmark"])
    # Of prompts 1 to 3 uniapl follows 3 and 2, grpo 1 and 2; of prompt 4 each one seed of two; the base nothing.
    assert found.estimate.to_dict() == pytest.approx(
        {("base", "trained"): 0, ("grpo", "trained"): 50, ("uniapl", "trained"): 100 * 5 / 6}
        | {(arm, "new_types"): x for arm, x in (("base", 0), ("grpo", 50), ("uniapl", 50))}
    )
    assert found.loc["base", ["difference", "p", "p_bh"]].isna().all(axis=None)
    held = found.drop("base")
    assert held.difference.tolist() == pytest.approx(held.estimate.tolist()) and set(held.against) == {"base"}
    assert (held.difference_low <= held.difference).all() and set(held.n_seeds_against) == {1}
    assert held.p_bh.tolist() == stats.benjamini_hochberg(held.p).tolist()


def test_the_summary_says_of_an_arm_what_the_other_tables_say():
    tables = run(plan=dataclasses.replace(PLAN, claims=CLAIMS))
    found = tables["summary"].set_index("arm")
    assert list(found.index) == ["base", "grpo", "uniapl"] and list(tables["summary"]) == COLUMNS
    uniapl, pair = found.loc["uniapl"], row(tables["comparisons"], arm="uniapl", against="grpo", benchmark="trained")
    kept = row(tables["transfer"], arm="uniapl", benchmark="new_types", against="base")
    assert (uniapl.estimate, uniapl.difference) == pytest.approx((100 * 5 / 6, 100 / 3))
    assert uniapl[["difference_low", "difference_high", "p_holm"]].tolist() == pair[["low", "high", "p_holm"]].tolist()
    assert (uniapl.unseen, uniapl.unseen_estimate, uniapl.kept) == ("new_types", 50, 50)
    assert [uniapl.kept_low, uniapl.kept_high] == [kept.difference_low, kept.difference_high]
    assert (uniapl.seconds, uniapl.n_seeds, uniapl.n_prompts, uniapl.unseen_n_prompts) == (107, 2, 3, 1)
    assert uniapl.verdict == tables["claims"].verdict[0]
    assert found.loc["grpo", ["against", "difference", "verdict"]].isna().all()
    assert found.loc["base", ["kept", "seconds", "verdict"]].isna().all() and found.difference["base"] == -50


def test_the_summary_of_a_scale_without_other_types_has_none_of_them():
    found = run(inputs(test=TEST.assign(benchmark="trained")))["summary"]
    assert found[["unseen", "unseen_estimate", "kept"]].isna().all(axis=None) and found.estimate.notna().all()


def test_arms_are_held_against_the_pipeline_or_else_the_last_comparator():
    against = {("sft_then_grpo", "uniapl"): "sft_then_grpo", ("grpo", "uniapl"): "uniapl", (): None}
    for comparators, expected in against.items():
        assert comparator(dataclasses.replace(PLAN, against=comparators)) == expected
    empty = run(plan=dataclasses.replace(PLAN, against=()))["summary"]
    assert empty[["against", "difference", "verdict"]].isna().all(axis=None)


def test_the_aggregates_are_over_all_seeds_and_benchmarks(tables):
    found = tables["aggregate"].set_index(["arm", "quantity"])
    # uniapl: 1, 2/3 and 0, 1, middle half 2/3 and 1; grpo: 1/3, 2/3 and 0, 1, middle half 1/3 and 2/3.
    assert found.estimate["uniapl", IQM] == pytest.approx(100 * 5 / 6)
    assert found.estimate["grpo", IQM] == pytest.approx(50)
    # trained: 1 beats both, 2/3 beats one and ties: 3.5 of 4; new types 2 of 4.
    assert found.estimate["uniapl", IMPROVED] == pytest.approx(100 * (3.5 + 2) / 8)
    assert found.against["uniapl", IMPROVED] == "grpo" and set(found.n_benchmarks) == {2}
    assert found.loc["base", ["low", "high"]].isna().all(axis=None)  # one seed says nothing of others


def test_nearer_is_the_difference_of_two_arms_distances_to_the_expert(tables):
    found = tables["nearer"].set_index(["quantity", "arm"])
    # Lengths: 2/3 and 1 words from the expert's, against 5/3 and 2.
    assert found.difference[LENGTH, "uniapl"] == pytest.approx(-1)
    assert (found.p_bh >= found.p).all() and set(found.against) == {"grpo"}
    # Log-probabilities only grpo has: nothing to hold against it.
    assert set(tables["nearer"].quantity) == {LENGTH}


def test_an_arm_that_gives_both_texts_one_nat_more_is_as_near_to_the_expert():
    own = inputs().logprobs
    both = pd.concat([own, own.assign(arm="uniapl", logprobs=[[x + 1 for x in row] for row in own.logprobs])])
    table = run(inputs(logprobs=both))["nearer"].set_index(["quantity", "arm"])
    assert table.difference[UNDER.format("arm"), "uniapl"] == pytest.approx(0)


def test_types_are_compared_by_the_share_of_a_prompts_instructions_of_that_type(tables):
    found = tables["type_comparisons"]
    assert set(found.against) == {"grpo"} and set(found.arm) == {"base", "uniapl"}
    uniapl = found[found.arm == "uniapl"].set_index("instruction_id")
    # a:x, prompts 1 and 2: 4 of 4 against 3 of 4; b:y, prompts 2 and 3: 3 of 4 against 2 of 4; c:z: 1 of 2 each.
    assert uniapl.difference.to_dict() == pytest.approx({"a:x": 25, "b:y": 25, "c:z": 0})
    assert uniapl.n_prompts.to_dict() == {"a:x": 2, "b:y": 2, "c:z": 1}
    assert uniapl.p_bh.tolist() == stats.benjamini_hochberg(uniapl.p).tolist()


def test_a_missing_run_is_named_and_has_no_number():
    plan = dataclasses.replace(PLAN, seeds={"base": (0,), "grpo": (0, 1), "uniapl": (0, 1, 2)})
    runs = run(plan=plan)["runs"].set_index("arm")
    assert runs.missing[["base", "grpo"]].isna().all()
    assert runs.loc["uniapl", ["n_planned", "n_seeds", "seeds", "missing"]].tolist() == [3, 2, "0, 1", "2"]
    assert runs.comparator.to_dict() == {"base": False, "grpo": True, "uniapl": False}
    without = inputs(scores=scores({cell: digits for cell, digits in STRICT.items() if cell[0] != "grpo"}))
    tables = run(without, plan)
    assert row(tables["runs"], arm="grpo").missing == "0, 1" and pd.isna(row(tables["runs"], arm="grpo").seeds)
    for name in ("main", "transfer", "aggregate"):
        assert set(tables[name].arm) == {"base", "uniapl"}
    assert tables["type_comparisons"].empty and set(tables["aggregate"].quantity) == {IQM}


def test_energy_is_known_where_every_run_of_the_chain_measured_it():
    runs = inputs().runs.assign(energy_wh=[9.0, 1.0, 3.0, 10.0, 0.5, 0.5])
    cost = run(inputs(runs=runs))["cost"].set_index("arm")
    # uniapl seed 0 with its start sft: 10 + 0.5; seed 1 has no recorded start. grpo: 1 and 3.
    assert cost.energy_wh.to_dict() == pytest.approx({"grpo": 2, "uniapl": 10.5})
    runs = runs.assign(energy_wh=[9.0, 1.0, 3.0, None, 0.5, 0.5])
    cost = run(inputs(runs=runs))["cost"].set_index("arm")
    assert pd.isna(cost.energy_wh["uniapl"]) and cost.energy_wh["grpo"] == 2
