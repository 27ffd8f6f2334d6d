"""No text leaves its figure, and none lies over another, whatever the arms are called and how many there are."""

import importlib

import pandas as pd
import pytest
from support.layout import outside, overlapping
from support.synthetic_results import experiment, write

from figures import style

LONG = "then_grpo_group16_no_kl_lr3e5_and_a_warmup_of_ten_steps_without_decay_at_all"
NAMES = ("scores", "differences", "curves", "lengths", "logprobs")


def arms(count: int, length: int) -> dict[str, float]:
    """Pass rates of the base, the comparators and others whose names have this length."""
    others = [f"sft{n}_{LONG}"[:length].rstrip("_") for n in range(count - 3)]
    return {arm: 0.3 + 0.02 * place for place, arm in enumerate(["base", "grpo", "sft_then_grpo", *others])}


@pytest.fixture(scope="module", params=[(4, 33, 1), (9, 70, 2), pytest.param((24, 70, 10), marks=pytest.mark.slow)])
def results(request, tmp_path_factory):
    """An analysis of so many arms, with names of such a length, at so many seeds; some values are missing."""
    count, length, seeds = request.param
    asked, root = arms(count, length), tmp_path_factory.mktemp("results") / "tiny"
    folder = write(experiment(n=6, seeds=seeds, seed=0, arms=asked), root / "analyse/headline", asked)
    for name in ("main", "comparisons", "distances"):
        table = pd.read_csv(folder / f"{name}.csv")
        table[table.arm != list(asked)[-1]].to_csv(folder / f"{name}.csv", index=False)
    return root


@pytest.mark.parametrize("name", NAMES)
def test_no_text_leaves_its_figure_or_lies_over_another(name, results):
    fig, _, _ = importlib.import_module(f"figures.{name}").draw(results)
    assert outside(fig) == [] and overlapping(fig) == []


def test_the_check_sees_what_it_is_there_for():
    fig = style.figure(2, 1)
    fig.text(0.9, 0.5, "a text that leaves")
    fig.text(0.1, 0.1, "one")
    assert outside(fig) == ["a text that leaves"] and overlapping(fig) == []
    fig.text(0.12, 0.12, "another")
    assert overlapping(fig) == [("one", "another")]
