"""What the README shows first is what the published set says, and is no older than it."""

import json
import re

import matplotlib.image
import numpy as np
import pytest
from support.methods import write as methods
from support.places import ROOT

from figures import differences, mixtures, style
from uniapl.analyse.claims import CONTRADICTED, SUPPORTED, UNDECIDED
from uniapl.errors import UserError
from uniapl.publish.readme import BEGIN, END, NOT_RUN, OF_METHODS, methods_table, renewed, verdict_table, with_table

TINY = ROOT / "results/published/tiny"
CLAIM = {
    "sentence": "A beats B",
    "source": "[A]",
    "quantity": "accuracy",
    "n_seeds": 5,
    "n_prompts": 384.0,
    "experiment": "headline",
}
CLAIM |= {"estimate": -6.25, "low": -11.24, "high": -1.11, "verdict": UNDECIDED, "unadjusted": CONTRADICTED}


def test_a_row_has_the_interval_the_data_behind_it_and_the_verdict_before_adjustment(tmp_path):
    auc = {**CLAIM, "source": "ours", "quantity": "auc", "n_prompts": None, "verdict": SUPPORTED}
    auc |= {"estimate": 0.125, "low": 0.1, "high": 0.9, "unadjusted": SUPPORTED}
    reviewers = {**CLAIM, "source": "[R]"}
    none = {**CLAIM, "low": None, "high": None, "unadjusted": UNDECIDED, "n_prompts": None}
    nothing = none | {"estimate": None, "n_seeds": 0}
    (tmp_path / "overview").mkdir()
    (tmp_path / "overview/claims.json").write_text(json.dumps({"claims": [CLAIM, auc, none, nothing, reviewers]}))
    rows = verdict_table(tmp_path).splitlines()
    assert rows[2:6] == [
        "| A beats B [A] | not decided (contradicted before adjustment) | -6.2 points [-11.2,&nbsp;-1.1] | 5 x 384 |",
        "| A beats B (ours) | supported | 0.12 [0.10,&nbsp;0.90] | 5 |",
        "| A beats B [A] | not decided | -6.2 points | 5 |",
        "| A beats B [A] | not decided |  | 0 |",
    ]
    assert rows[6:] == ["", "All 5 claims of this set: 1 supported, 0 contradicted, 4 not decided."]
    with pytest.raises(UserError, match="claims.json: No such file"):
        verdict_table(tmp_path / "nothing")


def test_the_methods_have_a_table_of_their_own_which_is_in_no_other(tmp_path):
    methods(tmp_path)
    (tmp_path / "overview").mkdir()
    claims = [CLAIM, {**CLAIM, "source": "ours", "experiment": "mixtures", "sentence": "LUFFY beats"}]
    (tmp_path / "overview/claims.json").write_text(json.dumps({"claims": claims}))
    text = renewed(BEGIN + END + "".join(OF_METHODS), tmp_path)
    first, own = text.split(END)
    assert "LUFFY" not in first and "All 2 claims of this set" in first
    assert own.splitlines()[2:7] == [
        "| method | trained types (%) | minus SFT then GRPO | new types (%) (minus base) | 1,000 tokens | verdict |",
        "| :-- | --: | --: | --: | --: | :-- |",
        "| SFT then GRPO | 63.0 |  | 10.2 (-9.8) | 1500 |  |",
        "| LUFFY | 61.5 | -1.5 [-6.0, 3.0] | 22.0 (2.0) | 1800 | not decided (contradicted before adjustment) |",
        "| base | 28.1 | -34.9 [-40.0, -30.0] | 20.0 |  |  |",
    ]
    assert "on trained types: 0 supported, 0 contradicted, 1 not decided; new types: 1 supported, 0 contr" in own
    assert "n = 384 prompts (trained types), 192 prompts (new types); seeds per arm: 5 (base: 1)." in own


def test_a_set_without_the_methods_says_so_and_one_without_their_tables_is_refused(tmp_path):
    assert methods_table(tmp_path) == NOT_RUN
    methods(tmp_path)
    (tmp_path / "tables/mixtures/summary.csv").unlink()
    with pytest.raises(UserError, match="summary.csv: no such file"):
        methods_table(tmp_path)


def test_the_table_replaces_what_stands_between_the_markers():
    assert with_table(f"a\n{BEGIN}\nold\n{END}\nb", "| new |") == f"a\n{BEGIN}\n\n| new |\n\n{END}\nb"
    with pytest.raises(UserError, match="markers"):
        with_table("no markers", "| new |")


def test_the_readme_shows_the_published_verdicts():
    readme = (ROOT / "README.md").read_text()
    assert renewed(readme, TINY) == readme


@pytest.mark.parametrize("figure", [differences, mixtures], ids=lambda module: module.__name__)
def test_the_pictures_of_the_readme_are_drawn_from_the_published_set(tmp_path, figure):
    name = figure.__name__.removeprefix("figures.") + ".png"
    drawn, caption, tables = figure.draw(TINY)
    style.save(drawn, str(tmp_path / "fresh"), caption, TINY, tables)
    fresh, shown = (matplotlib.image.imread(p) for p in (tmp_path / "fresh.png", ROOT / "docs" / name))
    assert fresh.shape == shown.shape, f"copy figures/out/published/tiny/{name} to docs/ (snakemake figures/)"
    assert np.abs(fresh - shown).mean() < 1e-3, f"copy figures/out/published/tiny/{name} to docs/"


def test_every_interval_in_the_prose_of_the_readme_is_in_a_published_table_or_the_lab_book():
    readme = (ROOT / "README.md").read_text()
    prose = with_table(readme, "", OF_METHODS).split(END, 1)[1]
    tables = "".join(path.read_text() for path in (TINY / "tables").rglob("*.md"))
    tables += (ROOT / "results/LOG.md").read_text()
    intervals = re.findall(r"-?\d+\.\d \[-?\d+\.\d, -?\d+\.\d\]", prose)
    assert intervals
    assert [text for text in intervals if text not in tables] == []


def test_the_written_part_of_the_readme_is_at_most_145_lines():
    readme = (ROOT / "README.md").read_text()
    for begin, end in ((BEGIN, END), OF_METHODS):
        readme = with_table(readme, "", (begin, end))
    assert len(readme.splitlines()) <= 145
