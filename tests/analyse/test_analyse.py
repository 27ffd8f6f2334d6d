"""Stage analyse as a whole, and its command, on a world small enough to count by hand."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from support.four_prompts import BOTH, CLAIMS, PLAN, STRICT, TEST, inputs, logprobs, row, run, scores

from uniapl import analyse
from uniapl.analyse.inputs import SPENT, Question, load
from uniapl.config import Experiment
from uniapl.errors import UserError

pytestmark = pytest.mark.filterwarnings("error")


def test_shuffled_rows_give_identical_tables():
    def shuffled(frame):
        return frame.sample(frac=1, random_state=3).reset_index(drop=True)

    rng = np.random.default_rng(1)
    given = inputs(logprobs=logprobs().assign(logprobs=[rng.normal(-1, 1, 5) for _ in range(len(logprobs()))]))
    tables = run(given)
    names = [f.name for f in dataclasses.fields(given) if f.name not in ("split", "drawn")]
    again = run(dataclasses.replace(given, **{name: shuffled(getattr(given, name)) for name in names}))
    assert tables.keys() == again.keys()
    for name in tables:
        assert_frame_equal(tables[name], again[name], check_exact=True)


@pytest.mark.parametrize("lost", [("uniapl", 1), ("grpo", 1)])
def test_a_missing_seed_changes_the_rows_of_its_arm_only(tables, lost):
    fewer = run(inputs(scores=scores({run: digits for run, digits in STRICT.items() if run != lost})))
    before, after = (t[~t.metric.str.contains("minus")] for t in (tables["main"], fewer["main"]))
    arm = lost[0]
    assert set(after.n_seeds[after.arm == arm]) == {1} and len(after) == len(before)
    assert_frame_equal(before[before.arm != arm], after[after.arm != arm], check_exact=True)
    # What remains of grpo is 1 of 3, of uniapl 3 of 3: not the mean with a zero.
    cell = dict(benchmark="trained", decoding="greedy", metric="prompt_strict")
    assert row(after, arm=arm, **cell).estimate == pytest.approx({"grpo": 100 / 3, "uniapl": 100}[arm])
    untouched = ["arm", "benchmark", "difference", "low", "high", "p"]
    of_base = [t["comparisons"].query("arm == 'base'")[untouched] for t in (tables, fewer)]
    assert of_base[0].equals(of_base[1]) == (arm == "uniapl")


def test_a_run_that_misses_a_prompt_is_refused_by_name():
    for broken in (scores()[1:], pd.concat([scores(), scores()[:1]]), scores().assign(key="9")):
        with pytest.raises(UserError, match="score/test/base/seed0/greedy.csv"):
            run(inputs(scores=broken))
    with pytest.raises(UserError, match="0 or 1"):
        run(inputs(scores=scores().assign(strict=0.5)))


def test_an_expert_without_a_response_is_refused():
    with pytest.raises(UserError, match="key 2"):
        run(inputs(expert=inputs().expert.drop(index=1)))


def test_stages_that_have_not_run_leave_their_tables_empty_but_headed():
    given = inputs()
    empty = {n: getattr(given, n).iloc[:0] for n in ("responses", "logprobs", "history", "runs")}
    tables = run(dataclasses.replace(given, **empty), Question(("grpo",), ()))
    for name in ("comparisons", "claims", "distances", "diversity", "lengths", "logprobs", "curves", "cost"):
        assert tables[name].empty and len(tables[name].columns) > 4


def write(root):
    """The hand-made world as the stages before would write it."""
    given = inputs()
    (root / "data").mkdir(parents=True)
    test = [
        {
            "key": int(r.key),
            "benchmark": r.benchmark,
            "instruction_id_list": ["x"] * r.instructions,
            "kwargs": [],
        }
        for r in TEST.itertuples()
    ]
    texts = [{"key": int(r.key), "response": r.response} for r in given.expert.itertuples()]
    for name, rows in (("test", test), ("expert", texts)):
        (root / f"data/{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    for (arm, seed), _ in STRICT.items():
        folders = {s: root / s / arm / f"seed{seed}" for s in ("score/test", "generate/test", "train")}
        for folder in folders.values():
            folder.mkdir(parents=True)

        def of(frame, arm=arm, seed=seed):
            return frame[(frame.arm == arm) & (frame.seed == seed)].drop(columns=["arm", "seed"])

        for decoding in BOTH:
            mine = of(given.scores)
            mine = mine[mine.decoding == decoding].drop(columns="decoding").assign(benchmark="as in the test")
            mine.to_csv(folders["score/test"] / f"{decoding}.csv", index=False)
        of(given.responses).to_parquet(folders["generate/test"] / "sampled.parquet")
        if len(of(given.logprobs)):
            of(given.logprobs).to_parquet(folders["generate/test"] / "logprobs.parquet")
        if len(of(given.history)):
            of(given.history).to_csv(folders["train"] / "history.csv", index=False)
    for record in given.runs.to_dict("records"):
        folder = root / f"train/{record['arm']}/seed{record['seed']}"
        folder.mkdir(parents=True, exist_ok=True)
        cost = {name: record[name] for name in (*SPENT, "peak_memory_mb")}
        (folder / "run.json").write_text(json.dumps({"start_arm": record["start"], "cost": cost}))


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Writes the world and returns a function that runs the command on it and reads what it wrote."""
    write(tmp_path / "tiny")
    arms = {name: SimpleNamespace(name=name, once=True) for name in PLAN.arms}
    experiment = Experiment("headline", "?", "", (arms["grpo"], arms["uniapl"]), ("grpo",), claims=CLAIMS)
    monkeypatch.setattr(analyse, "load_experiment", lambda name: experiment)
    facts = {"shared": [arms["base"]], "discriminator": 1, "compute": SimpleNamespace(sharded=False)}
    monkeypatch.setattr(analyse, "load_scale", lambda name: SimpleNamespace(name=name, **facts))
    monkeypatch.setattr(analyse, "seeds_of", lambda scale, experiment, arm: (0,) if arm.name == "base" else (0, 1))

    def run_command():
        out = tmp_path / "out"
        analyse.main(["--root", str(tmp_path / "tiny"), "--experiment", "headline", "--out", str(out)])
        return {path.stem: pd.read_csv(path) for path in out.glob("*.csv")}

    return run_command


def test_the_uncut_decoding_is_read_where_a_run_has_one_and_a_run_without_it_is_named(tmp_path, capsys):
    write(tmp_path)
    seeds = {"grpo": (0, 1)}
    before = load(tmp_path, seeds)
    drawn = tmp_path / "generate/test/grpo/seed0/on_policy.parquet"
    table = pd.read_parquet(drawn.with_name("sampled.parquet")).assign(response="drawn")
    table.to_parquet(drawn)
    found = load(tmp_path, seeds)
    assert before.drawn == "sampled.parquet" and found.drawn == "on_policy.parquet"
    assert set(found.responses.response) == {"drawn"} and set(found.responses.seed) == {0}
    assert "no on_policy.parquet, left out: grpo/seed1" in capsys.readouterr().err


def test_of_validation_prompts_the_greedy_answers_alone_are_read_and_no_other_is_missed(tmp_path, capsys):
    write(tmp_path)
    for stage in ("score", "generate"):
        (tmp_path / stage / "test").rename(tmp_path / stage / "validation")
    (tmp_path / "data/test.jsonl").rename(tmp_path / "data/validation.jsonl")
    for drawn in tmp_path.rglob("sampled.*"):
        drawn.unlink()
    for measured in tmp_path.rglob("logprobs.parquet"):
        pd.read_parquet(measured).iloc[:0].to_parquet(measured)
    found = load(tmp_path, {"grpo": (0, 1)}, "validation")
    assert set(found.scores.decoding) == {"greedy"} and found.responses.empty
    assert "sampled" not in capsys.readouterr().err
    tables = analyse.analyse(found, dataclasses.replace(PLAN, claims=()), rng=np.random.default_rng(0), resamples=99)
    assert set(tables["main"].decoding) == {"greedy"} and tables["diversity"].empty


def test_the_command_writes_what_analyse_returns(command, tmp_path):
    found = command()
    seeds = {arm: (0,) if arm == "base" else (0, 1) for arm in PLAN.arms}
    expected = run(plan=dataclasses.replace(PLAN, claims=CLAIMS, seeds=seeds), resamples=9999)
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        blank = table.where(table.notna(), np.nan)  # a column of None reads as NaN
        assert_frame_equal(found[name], blank, check_dtype=False, rtol=1e-11, obj=name)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    command()
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_command_names_a_missing_run_and_goes_on(command, tmp_path, capsys):
    (tmp_path / "tiny/score/test/uniapl/seed1/greedy.csv").unlink()
    main = command()["main"]
    assert "score/test: no greedy.csv, left out: uniapl/seed1\n" in capsys.readouterr().err
    assert set(main.n_seeds[(main.arm == "uniapl") & (main.decoding == "greedy")]) == {1}
    assert set(main.n_seeds[(main.arm == "uniapl") & (main.decoding == "sampled")]) == {2}


def test_a_broken_run_card_is_named_and_no_table_is_written(command, tmp_path, capsys):
    path = tmp_path / "tiny/train/grpo/seed0/run.json"
    for text, message in (("{bad", f"{path}:1: not JSON"), ("{}", f"{path}: no key start_arm, cost")):
        path.write_text(text)
        with pytest.raises(SystemExit):
            command()
        assert f"error: {message}" in capsys.readouterr().err.splitlines()[-1]
        assert not list((tmp_path / "out").glob("*.csv"))


def test_the_command_ends_in_one_line_without_scores_or_columns(command, tmp_path, capsys):
    path = tmp_path / "tiny/score/test/grpo/seed0/greedy.csv"
    path.write_text("key,index\n1,0\n")
    with pytest.raises(SystemExit):
        command()
    assert f"error: {path}: no column instruction_id, loose, strict" in capsys.readouterr().err
    for path in (tmp_path / "tiny/score").rglob("*.csv"):
        path.unlink()
    with pytest.raises(SystemExit):
        command()
    assert "no scores of base, grpo, uniapl" in capsys.readouterr().err.splitlines()[-1]
