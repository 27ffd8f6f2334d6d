"""The tables over all experiments in the report: where they are there, and not where they are not."""

import re
import shutil

import pandas as pd
import pytest
from support import methods
from support.ablated import ablations_of_two_arms
from support.report_pages import Parsed, build

from uniapl.config import load_scale
from uniapl.config.runs import Runs
from uniapl.config.suites import COLUMNS
from uniapl.report import page, sections
from uniapl.report.read import read
from uniapl.tables import again, beside, general, rounded, write
from uniapl.tables.ablations import view_ablations


def test_a_set_alone_has_none_of_them(local, tmp_path):
    results = read(local)
    assert results.overview == {} and sections.of_set(results, "beside") is None
    assert "Your runs against ours" not in Parsed(build(local, tmp_path)).text


def test_local_numbers_stand_beside_the_published_ones_in_the_report(local, sets, tmp_path):
    beside.render(*sets, local / "beside")
    text = Parsed(build(local, tmp_path)).text
    assert "Your runs against ours" in text and "1 of 2 lie within it" in text
    shutil.copytree(local / "beside", local / "beside_extended")
    frame = pd.read_csv(local / "beside/beside.csv")
    frame[:1].to_csv(local / "beside_extended/beside.csv", index=False)
    assert len(read(local, extended=True).overview["beside"].text) == 1
    assert len(read(local).overview["beside"].text) == len(frame) > 1


def test_verdicts_of_other_seeds_are_in_the_report(local, tmp_path):
    folder = local / "again"
    folder.mkdir()
    claim = dict(experiment="headline", sentence="A beats B.", estimate=1.5, low=-1.0, high=4.0, n_seeds=5, id="C1")
    sets = [claim | dict(set=name, verdict="not decided", contradicted="none decided") for name in ("ours", "theirs")]
    pd.DataFrame(sets)[again.ROW].to_csv(folder / "again.csv", index=False)
    pd.DataFrame([("ours", "theirs", "accuracy (%)", 9, 10, 90.0, 2)], columns=again.SHARE).to_csv(
        folder / "again_share.csv", index=False
    )
    text = Parsed(build(local, tmp_path)).text
    assert "Verdicts with other seeds" in text and "1 are decided in none" in text
    assert "ours in theirs" in text and "9 of 10" in text


def test_tables_of_extended_experiments_are_in_the_report_that_asks_for_them(local):
    name = Runs(load_scale("smoke")).extended[-1]
    shutil.copytree(local / "tables/headline", local / "tables" / name)
    assert list(read(local).tables) == ["headline"]
    assert list(read(local, extended=True).tables) == ["headline", name]


def test_the_methods_stand_near_the_top_of_a_report_that_has_them(local, tmp_path):
    text = Parsed(build(local, tmp_path)).text
    assert "Does any method beat" not in text
    methods.write(local)
    shutil.copytree(local / "tables/headline", local / "tables/mixtures", dirs_exist_ok=True, ignore=known)
    results = read(local, extended=True)
    table = sections.methods(results)
    assert [row[0] for row in table.view.rows] == ["SFT then GRPO", "LUFFY", "base"]
    built = page.render(results, tmp_path)
    parts = [a["id"] for a in Parsed(built).all("section")]
    assert parts[:2] == ["claims-section", "methods-section"]
    assert "LUFFY 61.5 −1.5 [−6.0, 3.0] 22.0 (2.0) 1800 not decided (contradicted" in Parsed(built).text


def known(folder, names):
    """Of the headline's tables those that the methods have."""
    return {"summary.csv", "claims.csv"} & {*names}


def test_general_ability_is_in_the_report(local, tmp_path):
    answers = [
        (arm, "uniapl_miniature_choice", str(i), "acc,none", float(i < n))
        for arm, n in (("base", 1), ("uniapl", 3))
        for i in range(4)
    ]
    general.render(pd.DataFrame(answers, columns=["arm", *COLUMNS]), local.name, local / "general")
    text = Parsed(build(local, tmp_path)).text
    row = text.split("Trained arms beside their base")[1].split("uniapl_miniature_choice (2-shot)")[1]
    assert re.findall(r"(\S+) \[", row)[:3] == ["25.0", "75.0", "50.0"]


def test_the_ablations_are_in_the_report(local, tmp_path):
    text = rounded("ablations", ablations_of_two_arms(tmp_path / "set"))
    (local / "overview").mkdir()
    write("ablations", text, view_ablations(text), local / "overview", "label")
    built = Parsed(build(local, tmp_path)).text
    assert "lambda_sweep: against chord" in built and "lam 1 (else 0.1)" in built


@pytest.mark.parametrize("star", ["", "*"])
def test_an_interval_is_quiet_with_and_without_a_star(star):
    assert page.cell(f"21.9 [16.5, 27.1]{star}") == f'<b>21.9</b> <span class="interval">[16.5, 27.1]{star}</span>'
