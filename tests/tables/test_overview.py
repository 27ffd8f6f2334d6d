"""The set-level tables: the paper's claims beside their analogues, what is missing, every setting with its source."""

import dataclasses
import json

import pandas as pd
import pytest

from baselines import uniapl
from uniapl.analyse.claims import Finding, judge
from uniapl.config import all_arms, experiment_names, experiments_of, load_experiment, load_scale, settings_of
from uniapl.tables import hyperparameters, overview
from uniapl.tables.overview import MISSING, NO_ANALOGUE, NOT_RUN
from uniapl.tables.paper_claims import PAPER_CLAIMS

STATED = {claim.id: name for name in experiment_names() for claim in load_experiment(name).claims}
TINY = load_scale("tiny")
HERE = {claim.id for asked in experiments_of(TINY) for claim in asked.claims}
ARMS = all_arms(TINY, [load_experiment(name) for name in experiment_names()])


def analysed(root, experiment, estimate=12.345):
    """The analysis of an experiment of which every claim was measured."""
    found = Finding(estimate, estimate - 1, estimate + 1, estimate - 2, estimate + 2, 5, 384)
    rows = [judge(claim, found) for claim in load_experiment(experiment).claims]
    (root / "analyse" / experiment).mkdir(parents=True)
    pd.DataFrame(rows).to_csv(root / "analyse" / experiment / "claims.csv", index=False)


def card(root, arm, seed=0, **changes):
    """The run card of an arm as it is trained now, with other settings where `changes` has them."""
    settings = dataclasses.asdict(settings_of(TINY, ARMS[arm])) | changes
    path = root / f"train/{arm}/seed{seed}/run.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"arm": arm, "seed": seed, "settings": settings}))


@pytest.fixture
def root(tmp_path):
    """Results of the scale tiny in which only the headline was analysed."""
    analysed(tmp_path / "tiny", "headline")
    return tmp_path / "tiny"


def made(root, out):
    """The .csv files, as text, and claims.json of the command."""
    overview.main(["--root", str(root), "--out", str(out)])
    tables = {path.stem: pd.read_csv(path, dtype=str, keep_default_na=False) for path in out.glob("*.csv")}
    assert {path.name for path in out.glob("[!.]*")} == {f"{t}.{s}" for t in tables for s in ("csv", "md", "tex")} | {
        "claims.json"
    }
    return tables, json.loads((out / "claims.json").read_text())


def test_every_analogue_of_the_papers_claims_exists():
    assert [id for claim in PAPER_CLAIMS for id in claim.analogues if id not in STATED] == []


def test_every_claim_of_the_paper_has_a_source_and_an_analogue_or_a_reason():
    ids = [claim.id for claim in PAPER_CLAIMS]
    assert len(set(ids)) == len(ids) and {claim.source for claim in PAPER_CLAIMS} == {"[A]", "[K]"}
    assert all(claim.analogues or claim.caveat for claim in PAPER_CLAIMS)


def test_the_papers_claims_stand_at_this_scale_and_as_stated(root, tmp_path):
    tables, records = made(root, tmp_path / "out")
    paper = tables["paper"]
    for claim in PAPER_CLAIMS:
        rows = paper[paper.paper_id == claim.id]
        asked = [id for id in claim.analogues if id in HERE]
        assert rows[rows.scale == "tiny"].id.tolist() == (asked or [""])
        assert rows[rows.scale == "paper"].verdict.tolist() == [NOT_RUN]
    measured = paper[(paper.paper_id == "A5") & (paper.scale == "tiny")].iloc[0]
    assert (measured.estimate, measured.low, measured.seed_high, measured.n_seeds) == ("12.35", "11.35", "14.35", "5")
    assert measured.evidence == "analyse/headline/claims.csv" and measured.verdict == "supported"
    assert set(paper[paper.paper_id.isin(["A6", "K5"])].verdict) == {NO_ANALOGUE, NOT_RUN}
    exact = {row["id"]: row for row in records["claims"]}
    assert exact["headline-1"]["estimate"] == 12.345 and exact.keys() == HERE
    assert "A5 [A]: +5.77" in (tmp_path / "out/paper.md").read_text()


def test_what_was_not_analysed_is_missing_and_has_no_number(root, tmp_path):
    tables, records = made(root, tmp_path / "out")
    claims = tables["claims"].set_index("id")
    for id, experiment in ((id, STATED[id]) for id in HERE):
        assert (claims.verdict[id] == MISSING) == (experiment != "headline")
    assert set(claims.loc["unified-1", ["estimate", "low", "high", "detectable"]]) == {""}
    assert next(row for row in records["claims"] if row["id"] == "unified-1")["estimate"] is None
    assert tables["settings"].empty and tables["arms"].empty


def test_at_paper_scale_the_claims_are_judged_where_they_were_run(root, tmp_path):
    analysed(tmp_path / "paper", "headline", estimate=-3.0)
    paper = made(root, tmp_path / "out")[0]["paper"]
    stated = paper[(paper.paper_id == "A5") & (paper.scale == "paper")]
    assert stated.verdict.tolist() == ["contradicted"] and stated.estimate.tolist() == ["-3.00"]
    assert (paper[(paper.paper_id == "A4") & (paper.scale == "paper")].verdict == MISSING).all()
    alone = made(tmp_path / "paper", tmp_path / "again")[0]["paper"]
    assert set(alone.scale) == {"paper"} and NOT_RUN not in set(alone.verdict)


def test_a_set_of_some_experiments_has_the_claims_of_these_alone(root):
    claims = overview.all_claims(root, TINY, ["headline"])
    assert set(claims.experiment) == {"headline"} and MISSING not in set(claims.verdict)
    assert MISSING in set(overview.all_claims(root, TINY).verdict)


def test_a_claim_written_after_the_analysis_is_missing_from_it(root):
    path = root / "analyse/headline/claims.csv"
    frame = pd.read_csv(path)
    frame[frame.id != "headline-1"].to_csv(path, index=False)
    verdicts = overview.all_claims(root, TINY).set_index("id").verdict
    assert verdicts["headline-1"] == MISSING and verdicts["headline-2"] == "supported"


NOT_STATED = "ours: not stated; chosen on the validation split"


def test_every_setting_has_the_source_of_its_value(root, tmp_path):
    card(root, "sft_then_grpo")
    card(root, "sft_then_grpo", seed=1)
    card(root, "uniapl")
    tables = made(root, tmp_path / "out")[0]
    settings, arms = (tables[name].set_index(["method", "setting"]) for name in ("settings", "arms"))
    scaled = settings.loc[("baselines.uniapl", "learning_rate")]
    assert scaled.value == f"{TINY.settings[uniapl]['learning_rate']:g}"
    assert scaled.source == f"scale tiny (experiments/scales.py); {NOT_STATED}"
    assert "lambda is not stated" in settings.loc[("baselines.uniapl", "lam")].source
    assert ("baselines.grpo", "learning_rate") not in settings.index  # the only arm of this method changes it
    changed = arms.loc[("baselines.grpo", "learning_rate")]
    assert (changed.arm, changed.value, changed.usual) == ("sft_then_grpo", "0.0003", "0.0005")
    assert changed.source == "scale tiny (experiments/scales.py), rate after_sft"
    assert tables["arms"][tables["arms"].arm == "uniapl"].setting.tolist() == [""]
    assert (settings.source != "").all()


def test_a_run_of_settings_that_the_experiments_no_longer_have_says_so(root):
    card(root, "uniapl", lam=0.7)
    found = hyperparameters.arms(hyperparameters.read(root, TINY)).iloc[0]
    assert (found.setting, found.value) == ("lam", "0.7") and found.source.startswith("the run card;")


def fail(capsys, *argv):
    with pytest.raises(SystemExit):
        overview.main([str(a) for a in argv])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_mistakes_are_named_in_one_line_and_nothing_is_written(root, tmp_path, capsys):
    out = tmp_path / "out"
    assert "no such folder" in fail(capsys, "--root", tmp_path / "none/smoke", "--out", out)
    card(root, "uniapl")
    card(root, "uniapl", seed=1, lam=0.7)
    error = fail(capsys, "--root", root, "--out", out)
    assert "uniapl/seed1" in error and "lam" in error
    (root / "analyse/headline/claims.csv").write_text("id\n")
    assert "headline/claims.csv: no column estimate, verdict" in fail(capsys, "--root", root, "--out", out)
    assert not out.exists()
