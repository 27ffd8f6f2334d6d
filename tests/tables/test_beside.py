"""Local and published results side by side: the difference, and whether it is within the published interval."""

import json
import re

import pandas as pd
import pytest
from support.analysis_files import COMPARISON

from figures import differences
from uniapl.errors import UserError
from uniapl.tables import beside


def test_every_number_stands_beside_the_published_one(sets, tmp_path):
    beside.main(["--local", str(sets[0]), "--published", str(sets[1]), "--out", str(tmp_path / "out")])
    found = pd.read_csv(tmp_path / "out/beside.csv", keep_default_na=False, dtype=str)
    rows = {(r.arm, r.against, r.benchmark): r for r in found.itertuples()}
    assert len(rows) == len(found) == 5  # base on two benchmarks, grpo, sft, one difference
    base, grpo = rows["base", "", "trained"], rows["grpo", "", "trained"]
    assert (base.published_estimate, base.local_estimate, base.difference, base.within) == (
        "28.1",
        "30.0",
        "1.9",
        "yes",
    )
    assert (grpo.local_low, grpo.local_n_seeds, grpo.difference, grpo.within) == ("50.0", "3", "8.5", "no")
    # 5.449 published within [-1.26, 12.2]; -2 is not.
    pair = rows["sft_then_grpo", "grpo", "trained"]
    assert (pair.difference, pair.within) == ("-7.4", "no")
    sft = rows["sft", "", "trained"]
    assert (sft.published_estimate, sft.difference, sft.within) == ("", "", "missing")
    text = (tmp_path / "out/beside.md").read_text()
    assert "1 of 3 local estimates lie within" in text
    assert re.search(r"\| headline, accuracy \(%\) \| sft \| trained types \| missing \| 46.5 \[40.1, 53.0\] \|", text)
    assert r"\begin{tabular}" in (tmp_path / "out/beside.tex").read_text()


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
    # -2 is outside of [-1.26, 12.2].
    assert "hold\n        0 of these 1 differences" in caption and "published seeds per arm: 5" in caption
    assert [text.get_text() for text in fig.legends[0].get_texts()][-1] == "published"
    grey = differences.PUBLISHED.get_color()
    (mark,) = [line for ax in fig.axes for line in ax.lines if line.get_color() == grey and len(line.get_xdata())]
    assert mark.get_xdata().tolist() == [COMPARISON["difference"]]
    _, caption, paths = differences.draw(sets[1])
    assert len(paths) == 1 and "published" not in caption
