"""The figures over several experiments: cost against accuracy, diversity, and every claim on one page."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from figures import claims, diversity, pareto, recipes, style
from uniapl.analyse.claims import COLUMNS, UNITS
from uniapl.analyse.inputs import SPENT
from uniapl.config import experiments_of, load_scale
from uniapl.config.figures import needs_of_figures

ARMS = {  # accuracy in percent, thousands of tokens sampled and trained on
    "headline": {"base": (40, None), "sft": (60, (0, 200)), "grpo": (50, (200, 400)), "uniapl": (65, (200, 600))},
    "staged": {"base": (40, None), "sft": (60, (0, 200)), "a_sft": (60, (200, 500)), "a_grpo": (70, (200, 801))},
    "unified": {"base": (40, None), "chord": (62, (200, 500)), "uniapl": (64, (200, 800))},
}


def tables(results: Path, name: str, arms: dict) -> None:
    folder = results / "analyse" / name
    folder.mkdir(parents=True)
    seeds = 5 if name == "headline" else 3
    rows = [
        dict(arm=arm, benchmark=b, estimate=value / (1 + i), low=value / (1 + i) - 3, high=value / (1 + i) + 3)
        | dict(n_seeds=1 if arm == "base" else seeds, n_prompts=100)
        for arm, (value, _) in arms.items()
        for i, b in enumerate(("trained", "new_types"))
    ]
    main = pd.DataFrame(rows).assign(decoding="greedy", metric="prompt_strict", method="bootstrap")
    main.to_csv(folder / "main.csv", index=False)
    spent = {arm: tokens for arm, (_, tokens) in arms.items() if tokens}
    cost = pd.DataFrame([dict.fromkeys(SPENT, 1) | dict(arm=arm) for arm in spent])
    cost["tokens_generated"], cost["tokens_trained"] = 1e3 * np.array([*spent.values()]).T
    cost.to_csv(folder / "cost.csv", index=False)


@pytest.fixture
def results(tmp_path) -> Path:
    for name, arms in ARMS.items():
        tables(tmp_path, name, arms)
    return tmp_path


def markers(ax) -> dict[float, float]:
    """x -> y of the single markers of a panel."""
    single = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
    return {round(float(line.get_xdata()[0]), 6): float(line.get_ydata()[0]) for line in single}


def front_of(ax) -> list[tuple[float, float]]:
    (steps,) = [line for line in ax.get_lines() if line.get_drawstyle() == "steps-post"]
    return [(round(float(x), 6), float(y)) for x, y in zip(steps.get_xdata(), steps.get_ydata(), strict=True)]


def test_the_front_is_of_the_arms_that_no_arm_as_cheap_reaches():
    table = pd.DataFrame(dict(arm=[*"abcdef"], cost=[3, 0, 1, 1, 2, 4], estimate=[60, 40, 50, 55, 55, 70.0]))
    assert list(pareto.front(table).arm) == ["b", "d", "a", "f"]  # c is as dear as d; e is dearer and no better
    turned = table.iloc[::-1]
    assert list(pareto.front(turned).arm) == ["b", "d", "a", "f"]


def test_cost_is_tokens_sampled_and_trained_in_millions_and_the_base_costs_nothing(results):
    fig, caption, paths = pareto.draw(results)
    left, right = fig.axes
    assert markers(left) == {0.0: 40, 0.2: 60, 0.6: 50, 0.8: 65}
    assert front_of(left) == [(0, 40), (0.2, 60), (0.8, 65), (0.8, 65)]
    assert front_of(right)[-2] == (1.001, 70) and len(front_of(right)) == 6
    assert "headline's arms: base, SFT, UniAPL; with" in caption and "base, SFT, CHORD, UniAPL, A-GRPO." in caption
    assert "ignores their intervals" in caption and "5 (base: 1) on the left, 3 (base: 1) on the right" in caption
    assert len(paths) == 6 and all(path.is_file() for path in paths)


def test_markers_of_equal_cost_are_moved_apart_by_what_the_caption_says(results):
    fig, caption, _ = pareto.draw(results)
    at = sorted(markers(fig.axes[1]))
    assert len(at) == 6 and min(np.diff(at)) > 0.9 * pareto.NEAR * 1.001  # of the longest axis
    assert "by 0.008 million tokens at most" in caption
    cost = pd.Series([5.0, 1.0, 5.0, 9.0], index=[*"abcd"])
    moved = pareto.spread_apart(cost, 1.0)
    assert dict(moved.round(6)) == {"a": 4.5, "b": 1.0, "c": 5.5, "d": 9.0}


def test_an_arm_without_a_cost_is_left_out_and_does_not_cost_zero(results):
    path = results / "analyse/headline/cost.csv"
    cost = pd.read_csv(path)
    cost.loc[cost.arm == "sft", "tokens_trained"] = np.nan
    cost[cost.arm != "grpo"].to_csv(path, index=False)
    fig, caption, _ = pareto.draw(results)
    assert markers(fig.axes[0]) == {0.0: 40, 0.8: 65}
    assert "headline's arms: base, UniAPL;" in caption


@pytest.mark.parametrize("figure, name", [("scores", "headline"), ("mu", "mu_schedule")])
def test_an_axis_of_percent_holds_the_intervals_of_every_panel(figure, name, tmp_path):
    tables(tmp_path, name, ARMS["headline"])
    path = tmp_path / "analyse" / name / "main.csv"
    main = pd.read_csv(path)
    main.loc[main.benchmark == "new_types", "high"] = 95  # of the panel that is drawn last
    for low, cut in ((0, False), (-2, True)):
        main.assign(low=low).to_csv(path, index=False)
        fig, caption, _ = importlib.import_module(f"figures.{figure}").draw(tmp_path)
        assert [(ax.get_xlim()[0], ax.get_xlim()[1] > 95) for ax in fig.axes] == 2 * [(0, True)]
        assert ("cut at 0" in caption) is cut


# Diversity ----------------------------------------------------------------------------------------


@pytest.fixture
def diverse(tmp_path, monkeypatch) -> Path:
    lam = dict(chord=0.0, lambda_03=0.3, uniapl=0.1)
    monkeypatch.setattr(recipes, "chains", lambda *_: {arm: [arm] for arm in lam})
    monkeypatch.setattr(recipes, "lam", lambda chain: lam[chain[0]])
    for name, arms in dict(headline=("base", "sft", "uniapl"), lambda_sweep=("base", *lam)).items():
        rows = [
            dict(arm=arm, quantity=quantity, estimate=98 - i, low=95, high=103, n_seeds=1 if arm in END else 3)
            for i, arm in enumerate((*arms, "expert"))
            for quantity in diversity.QUANTITIES
            if arm != "expert" or "entropy" not in quantity
        ]
        (tmp_path / "analyse" / name).mkdir(parents=True)
        table = pd.DataFrame(rows).assign(n_responses=64)
        table.to_csv(tmp_path / "analyse" / name / "diversity.csv", index=False)
    return tmp_path


END = ("base", "expert")


def test_diversity_has_the_headline_above_and_the_sweep_in_the_order_of_lambda_below(diverse):
    fig, caption, _ = diversity.draw(diverse)
    grid = np.array(fig.axes).reshape(2, 3)
    names = [[label.get_text() for label in axes[0].get_yticklabels()] for axes in grid]
    assert names == [["base", "SFT", "UniAPL"], ["λ 0 (CHORD)", "λ 0.1 (UniAPL)", "λ 0.3"]]
    assert markers(grid[1, 0]) == {97: 0, 96: 2, 95: 1}
    for ax, dashed in zip(grid[0], (0, 1, 1), strict=True):
        assert len([line for line in ax.get_lines() if list(line.get_xdata()) == [95, 95]]) == dashed  # the expert
        assert max(segment[:, 0].max() for drawn in ax.collections for segment in drawn.get_segments()) == 100
    caption = " ".join(caption.split())
    assert "seeds per arm: 3 (base: 1) above, 3 below" in caption and "responses per seed: 64" in caption


def test_an_arm_without_diversity_leaves_an_empty_row_or_none(diverse):
    path = diverse / "analyse/headline/diversity.csv"
    table = pd.read_csv(path)
    table[(table.arm != "sft") | (table.quantity == "distinct bigrams (%)")].to_csv(path, index=False)
    fig, *_ = diversity.draw(diverse)
    assert [sorted(markers(ax).values()) for ax in fig.axes[:3]] == [[0, 2], [0, 1, 2], [0, 2]]


# Claims -------------------------------------------------------------------------------------------


def claim(id: str, quantity: str = "accuracy", verdict: str = "not decided", **given) -> dict:
    row = dict(sentence="a does b", source="[A]", benchmark="trained", arm="uniapl", against="grpo")
    row |= dict(
        unadjusted=verdict,
        direction="above",
        margin=0.0,
        estimate=2.0,
        low=-1.0,
        high=5.0,
        seed_low=-2.0,
        seed_high=6.0,
    )
    return (
        row | dict(id=id, quantity=quantity, detectable=4.25, p_holm=0.2, n_seeds=3, verdict=verdict, reason="") | given
    )


@pytest.fixture
def claimed(tmp_path) -> Path:
    rows = {name: [claim(f"{name}-1")] for name in claims.NEEDS}
    rows["headline"] += [
        claim("headline-2", "auc", "supported", margin=0.5, estimate=0.9, low=0.8, high=0.95, p_holm=0.01),
        claim("headline-3", "auc", "contradicted", margin=0.5, estimate=0.7, low=0.6, high=0.8, direction="below"),
        claim("headline-4", "length", **dict.fromkeys("estimate low high seed_low seed_high detectable".split())),
    ]
    rows["headline"].append(claim("headline-9", "auc", "withdrawn"))
    rows["staged"] = [claim("staged-1", unadjusted="supported")]  # Holm's adjustment decides
    for name, of_experiment in rows.items():
        (tmp_path / "analyse" / name).mkdir(parents=True)
        table = pd.DataFrame(of_experiment, columns=COLUMNS)
        table.to_csv(tmp_path / "analyse" / name / "claims.csv", index=False)
    return tmp_path


def test_every_experiment_that_claims_something_is_on_the_page():
    asked = {one.name for one in experiments_of(load_scale("tiny")) if one.claims}
    assert asked - {"mixtures"} == set(claims.NEEDS) == set(needs_of_figures()["claims"])  # it has a figure of its own
    assert set(claims.AXES) == set(UNITS.values())
    assert {mark.colour for mark in claims.MARKS.values()}.isdisjoint(k.colour for k in style.LOOKS.values())


def test_each_claim_has_its_row_its_verdict_in_words_and_its_margin(claimed):
    fig, caption, _ = claims.draw(claimed)
    points, words, auc = fig.axes
    rows = [label.get_text() for ax in fig.axes for label in ax.get_yticklabels()]
    assert len(rows) == 11 and rows[0] == "headline-1: a does b"
    assert [text.get_text() for text in auc.texts] == ["supported", "contradicted"]
    assert sorted(text.get_text() for text in points.texts) == 7 * ["not decided (4.2)"] + ["not decided (4.2) †"]
    assert markers(auc) == {0.9: 0, 0.7: 1}
    drawn = [line for line in auc.get_lines() if len(line.get_xdata()) == 1]
    assert [line.get_marker() for line in drawn] == ["o", "X"]
    margins = [s for c in auc.collections if hasattr(c, "get_segments") for s in c.get_segments()]
    assert sum(bool((segment[:, 0] == 0.5).all()) for segment in margins) == 2
    assert "All 11 claims" in caption and "1 supported, 9 not decided, 1 contradicted" in caption


def test_a_claim_that_was_not_measured_has_its_row_and_no_marker(claimed):
    fig, *_ = claims.draw(claimed)
    words = fig.axes[1]
    assert [text.get_text() for text in words.texts] == ["not decided"]
    assert not [x for x in markers(words) if not np.isnan(x)]


def test_the_claimed_side_is_shaded(claimed):
    fig, *_ = claims.draw(claimed)
    auc = fig.axes[2]
    shaded = [c.get_paths()[0].vertices[:, 0] for c in auc.collections if not hasattr(c, "get_segments")]
    assert [(x.min(), x.max()) for x in shaded] == [(0.5, auc.get_xlim()[1]), (auc.get_xlim()[0], 0.5)]


def test_the_figure_named_claims_hides_no_module_of_that_name():
    program = (
        "import figures.claims; from uniapl.analyse import claims; print(claims.__file__, claims.judge.__module__)"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "uniapl/analyse/claims.py" in printed and "uniapl.analyse.claims" in printed
