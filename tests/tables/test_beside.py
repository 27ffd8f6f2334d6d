"""Local and published results side by side: the difference, and whether it is within the published interval."""

import json
import re

import pandas as pd
import pytest
from support.analysis_files import COMPARISON

from figures import differences
from uniapl.errors import UserError
from uniapl.tables import beside, rounded


def test_every_number_stands_beside_the_published_one(sets, tmp_path):
    beside.main(["--local", str(sets[0]), "--published", str(sets[1]), "--out", str(tmp_path / "out")])
    found = pd.read_csv(tmp_path / "out/beside.csv", keep_default_na=False, dtype=str)
    rows = {(r.arm, r.against, r.benchmark): r for r in found.itertuples()}
    assert len(rows) == len(found) == 5  # base on two benchmarks, grpo, sft, one difference
    base, grpo = rows["base", "", "trained"], rows["grpo", "", "trained"]
    assert (base.published_estimate, base.local_estimate, base.difference) == ("28.1", "30.0", "1.9")
    assert base.within == "not predicted"  # one seed
    # 55 lies outside of [38.04, 54.94].
    assert (grpo.local_low, grpo.local_n_seeds, grpo.difference, grpo.within) == ("50.0", "5", "8.5", "no")
    # -2 lies within the prediction [-2.5, 13.4], and outside of the confidence interval [-1.26, 12.2].
    pair = rows["sft_then_grpo", "grpo", "trained"]
    assert (pair.difference, pair.within, pair.published_predict_low) == ("-7.4", "yes", "-2.5")
    sft = rows["sft", "", "trained"]
    assert (sft.published_estimate, sft.difference, sft.within) == ("", "", "missing")
    text = (tmp_path / "out/beside.md").read_text()
    assert "whether the local estimate does: 1 of 2 lie within it; 1 have no prediction, and are not judged." in text
    assert re.search(r"\| headline, accuracy \(%\) \| sft \| trained types \| missing \| 46.5 \[40.1, 53.0\] \|", text)
    assert "| 46.5 [40.1, 53.0] | 55.0 [50.0, 60.0] | 8.5 | [38.0, 54.9] | no | 5 / 5 |" in text
    assert r"\begin{tabular}" in (tmp_path / "out/beside.tex").read_text()


def with_seeds(path, **numbers):
    pd.read_csv(path).assign(**numbers).to_csv(path, index=False)


def test_a_rerun_of_another_size_is_not_judged(sets):
    for name, column in (("main", "n_seeds"), ("comparisons", "n_seeds_against")):
        with_seeds(sets[0] / f"analyse/headline/{name}.csv", **{column: 3})
    text = rounded("beside", beside.beside(*map(beside.numbers, sets)))
    found = {(row.arm, row.benchmark): row.within for row in text.itertuples()}
    assert found["grpo", "trained"] == found["sft_then_grpo", "trained"] == "other seeds"
    assert "0 of 0 lie within it; 3 have another number of seeds" in beside.view(text).caption


def test_a_published_set_older_than_predictions_says_so_in_one_line(sets, tmp_path, capsys):
    for name in ("main", "comparisons"):
        path = sets[1] / f"analyse/headline/{name}.csv"
        pd.read_csv(path).drop(columns=["predict_low", "predict_high"]).to_csv(path, index=False)
    beside.main(["--local", str(sets[0]), "--published", str(sets[1]), "--out", str(tmp_path / "out")])
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{sets[1]}: {beside.NO_PREDICTIONS}"
    found = pd.read_csv(tmp_path / "out/beside.csv")
    assert set(found.within) == {"not predicted", "missing"} and found.published_predict_low.isna().all()
    assert beside.NO_PREDICTIONS in (tmp_path / "out/beside.md").read_text()
    fig, caption, _ = differences.draw(sets[0])
    assert "That set has no prediction intervals." in caption
    _, caption, _ = differences.draw(sets[1])
    assert "prediction" not in caption


def test_sets_of_other_prompts_are_refused(sets, tmp_path, capsys):
    (sets[1] / "data.json").write_text(json.dumps({"sha256": {"test.jsonl": "b"}}))
    with pytest.raises(SystemExit):
        beside.main(["--local", str(sets[0]), "--published", str(sets[1]), "--out", str(tmp_path / "out")])
    (line,) = capsys.readouterr().err.splitlines()
    assert "data/summary.json: other test prompts" in line and not (tmp_path / "out").exists()
    (sets[1] / "data.json").write_text("{}")
    with pytest.raises(UserError, match="data.json: no key sha256"):
        beside.check_data(*sets)


def test_a_set_without_analyses_and_one_without_a_column_are_named(sets, tmp_path):
    with pytest.raises(UserError, match="nowhere/analyse: no main.csv"):
        beside.numbers(tmp_path / "nowhere")
    path = sets[0] / "analyse/headline/main.csv"
    pd.read_csv(path).drop(columns="low").to_csv(path, index=False)
    with pytest.raises(UserError, match="headline/main.csv: no column low"):
        beside.numbers(sets[0])


def test_the_forest_plot_of_a_local_set_has_the_published_intervals_below_its_own(sets):
    fig, caption, paths = differences.draw(sets[0])
    assert paths == [root / "analyse/headline/comparisons.csv" for root in sets]
    # -2 lies within the published prediction, [-2.5, 13.4].
    words = " ".join(caption.split())
    assert "Their prediction intervals (thin) hold 1 of the 1 differences of as many seeds." in words
    assert "published seeds per arm: 5" in words and "95 % of reruns with as many other seeds" in words
    assert "95 % of reruns" in [text.get_text() for text in fig.legends[0].get_texts()]
    segments = {tuple(s[:, 0]) for ax in fig.axes for x in ax.collections for s in x.get_segments() if len(s)}
    assert (-2.5, 13.4) in segments
    assert [text.get_text() for text in fig.legends[0].get_texts()][-1] == "published"
    grey = differences.PUBLISHED.get_color()
    (mark,) = [line for ax in fig.axes for line in ax.lines if line.get_color() == grey and len(line.get_xdata())]
    assert mark.get_xdata().tolist() == [COMPARISON["difference"]]
    _, caption, paths = differences.draw(sets[1])
    assert len(paths) == 1 and "published" not in caption
