"""No text leaves its figure, and none lies over another, whatever arms and benchmarks are called."""

import importlib
import shutil

import pandas as pd
import pytest
from support.layout import boxes, outside, overlapping
from support.synthetic_results import chains, experiment, write

from figures import recipes, style
from uniapl.analyse.claims import CONTRADICTED, SUPPORTED, UNDECIDED, UNITS

LONG = "then_grpo_group16_no_kl_lr3e5_and_a_warmup_of_ten_steps_without_decay_at_all"
PLACE = "prompts_of_kinds_that_no_training_has_seen_and_no_expert_had"  # with its number the name of a benchmark
HEADLINE = ("scores", "differences", "curves", "lengths", "logprobs")
EXPERIMENTS = (
    *("staged", "unified", "reward_shaping", "constrained", "mu_schedule", "switch", "lambda_sweep", "discriminators"),
    *("teachers", "demonstrations", "controls"),
)
OTHERS = ("arms", "constrained", "diversity", "mu", "pareto", "switch", "claims", "demonstrations", "staged")
IN_PANELS = ("scores", "discriminators", "lambda_sweep", "teachers")  # a benchmark is a title
KNOWN = ("uniapl", "lambda_003", "d_random", "sft_d24")


def arms(count: int, length: int) -> dict[str, float]:
    """Pass rates of the base, the comparators and others whose names have this length."""
    others = [f"sft{n}_{LONG}"[:length].rstrip("_") for n in range(count - 3)]
    return {arm: 0.3 + 0.02 * place for place, arm in enumerate(["base", "grpo", "sft_then_grpo", *others])}


def claims() -> pd.DataFrame:
    """Claims of every unit and verdict, with ids and sentences that take several lines."""
    rows = [
        dict(id=f"c{n}_{LONG}", sentence=f"{LONG} is {LONG}.", quantity=quantity, direction="above", verdict=verdict)
        for n, (quantity, verdict) in enumerate(zip(UNITS, [SUPPORTED, UNDECIDED, CONTRADICTED] * 9, strict=False))
    ]
    numbers = dict(estimate=1, low=0, high=2, seed_low=-1, seed_high=3, detectable=0.5, p_holm=0.1, n_seeds=3, margin=0)
    return pd.DataFrame(rows).assign(unadjusted=SUPPORTED, **numbers)


def analysis(folder, count: int, length: int, seeds: int, more=()) -> None:
    """An analysis of so many arms, with names of such a length, at so many seeds; some values are missing."""
    asked = arms(count, length)
    everything = asked | dict.fromkeys(more, 0.5)
    write(experiment(n=6, seeds=seeds, seed=0, arms=everything), folder, everything)
    for name in ("main", "comparisons", "distances"):
        table = pd.read_csv(folder / f"{name}.csv")
        table[table.arm != list(asked)[-1]].to_csv(folder / f"{name}.csv", index=False)


def check(name: str, results) -> None:
    fig, _, _ = importlib.import_module(f"figures.{name}").draw(results)
    drawn = boxes(fig)
    assert outside(fig, drawn) == [] and overlapping(drawn) == []


@pytest.fixture(scope="module", params=[(4, 33, 1), (9, 70, 2), pytest.param((24, 70, 10), marks=pytest.mark.slow)])
def results(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("results") / "tiny"
    analysis(root / "analyse/headline", *request.param)
    return root


@pytest.fixture(scope="module", params=[(7, 70, 2), pytest.param((24, 70, 3), marks=pytest.mark.slow)])
def everywhere(request, tmp_path_factory):
    """The same analysis for every experiment, with arms that their figures know too, and benchmarks with long names."""
    root = tmp_path_factory.mktemp("everywhere") / "tiny"
    folder = root / "analyse/headline"
    analysis(folder, *request.param, more=KNOWN)
    table = pd.read_csv(folder / "main.csv")
    long = {name: f"{PLACE}_{number}" for number, name in enumerate(table.benchmark.unique())}
    table.assign(benchmark=table.benchmark.map(long)).to_csv(folder / "main.csv", index=False)
    claims().to_csv(folder / "claims.csv", index=False)
    for name in EXPERIMENTS:
        shutil.copytree(folder, root / "analyse" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "chains", chains)
        yield root


@pytest.mark.parametrize("name", HEADLINE)
def test_no_text_leaves_its_figure_or_lies_over_another(name, results):
    check(name, results)


@pytest.mark.parametrize("name", (*OTHERS, *IN_PANELS))
def test_nor_in_the_figures_of_the_other_experiments(name, everywhere):
    check(name, everywhere)


def test_the_check_sees_what_it_is_there_for():
    fig = style.figure(2, 1)
    fig.text(0.9, 0.5, "a text that leaves")
    fig.text(0.1, 0.1, "one")
    drawn = boxes(fig)
    assert outside(fig, drawn) == ["a text that leaves"] and overlapping(drawn) == []
    fig.text(0.12, 0.12, "another")
    assert overlapping(boxes(fig)) == [("one", "another")]
    fig.text(0.5, 0.95, "of two lines,\nwhich leave at the top")
    assert outside(fig, boxes(fig))[1:] == ["of two lines,\nwhich leave at the top"]
