"""A run that is published in parts, and continued elsewhere: nothing is mixed, trained twice or lost."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from support.clones import planned

from uniapl.config import PUBLISHED, load_scale
from uniapl.config.card import REQUIRED
from uniapl.config.repository import MARK
from uniapl.config.runs import Runs
from uniapl.errors import UserError
from uniapl.models.checkpoints import load_tokenizer
from uniapl.provenance import checksums
from uniapl.publish import files, partial, publish, take, verify
from uniapl.publish.partial import batches_of, done_file, local_files, name_of, publish_partial, wanted

RUNS = Runs(load_scale("smoke"))
ROOT, SET = Path("results/local/smoke"), Path("results/published/smoke")
HALF = {("base", 0), ("discriminator", 0), ("sft", 0), ("grpo", 0), ("sft_then_grpo", 0)}
COMMIT = "c0ffee"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make_data(text: str = '{"rows": 3}') -> None:
    """What the rule data writes."""
    for name in ("train", "validation", "test", "expert"):
        write(ROOT / f"data/{name}.jsonl", '{"key": "1", "response": "rain"}\n')
    write(ROOT / "data/summary.json", text)


def train(training: tuple[str, int], **card) -> None:
    """What the rule train writes."""
    arm, seed = training
    said = dict.fromkeys(REQUIRED, "x") | {"arm": arm, "seed": seed, "cost": {}, "settings": {}}
    said |= {"commit": COMMIT, "fingerprint": RUNS.run(*training).fingerprint} | card
    folder = ROOT / "train" / name_of(training)
    write(folder / "run.json", json.dumps(said))
    write(folder / "history.csv", f"step,loss\n1,{len(arm)}\n")
    write(folder / "model/config.json", "{}")


def evaluate(training: tuple[str, int]) -> None:
    """What the rules generate, score and suite write of a checkpoint."""
    name = name_of(training)
    for split, seeds in batches_of(RUNS, training):
        generated, scored = ROOT / "generate" / split / name, ROOT / "score" / split / name
        write(generated / "harness.json", '{"backend": "transformers"}')
        write(scored / "checkers.json", '{"checkers": "1"}')
        for decoding in ("greedy", "sampled"):
            rows = pd.DataFrame({"key": ["1"], "prompt": ["?"], "response": [f"rain {name}"], "n_tokens": [2]})
            rows.to_parquet(generated / f"{decoding}.parquet")
            write(scored / f"{decoding}.csv", "key,index,instruction_id,strict,loose\n1,0,a:x,0,1\n")
        values = {"key": ["1"], "text": ["own"], "under": ["self"], "n_tokens": [2], "logprobs": [[-0.1, -1 / 3]]}
        pd.DataFrame(values).to_parquet(generated / "logprobs.parquet")
        for stage in ("generate", "score"):
            done_file(ROOT, stage, split, training[0], seeds).touch()
    for stage in partial.answered(RUNS, training):
        write(ROOT / stage / f"{name}.csv", "task,doc_id,metric,value\n")


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    """Results of one's own, at a commit without changes."""
    for module in (publish, take):
        monkeypatch.setattr(module, "clean_commit", lambda: COMMIT)
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")


@pytest.fixture
def half():
    """Half of smoke, trained and evaluated, and published."""
    make_data()
    for training in HALF:
        train(training)
        evaluate(training)
    publish.main(["--scale", "smoke", "--partial"])
    return Path.cwd() / SET


def test_what_is_finished_is_published_and_verified(half, capsys):
    verify.main([str(SET)])
    of = len(wanted(RUNS))
    assert f"partial: {len(HALF)} of {of} trainings" in capsys.readouterr().out
    manifest = json.loads((SET / partial.MANIFEST).read_text())
    assert {*manifest["trainings"]} == {name_of(training) for training in HALF}
    assert {*manifest["missing"]} == {name_of(training) for training in wanted(RUNS) - HALF}
    assert manifest["trainings"]["sft/seed0"]["evaluated"] == ["test"]
    pd.testing.assert_frame_equal(
        pd.read_parquet(SET / "trainings/sft/seed0/test/logprobs.parquet"),
        pd.read_parquet(ROOT / "generate/test/sft/seed0/logprobs.parquet"),
    )


def test_answers_that_measure_go_along_where_sampling_cuts_the_distribution(tmp_path):
    sampled = replace(RUNS.scale.evaluation, sampled=PUBLISHED)
    cutting, training = Runs(replace(RUNS.scale, evaluation=sampled)), ("grpo", 0)
    train(training)
    evaluate(training)
    names = {*local_files(ROOT, cutting, training)}
    assert names == {*local_files(ROOT, RUNS, training), "test/on_policy.parquet"}
    assert partial.is_evaluated(cutting, training, names)
    assert not partial.is_evaluated(cutting, training, names - {"test/on_policy.parquet"})
    for name in names:
        write(tmp_path / "trainings/grpo/seed0" / name, name)
    take.copy_out(tmp_path, tmp_path / "here", cutting, training, "id")
    assert (tmp_path / "here/generate/test/grpo/seed0/on_policy.parquet").read_text() == "test/on_policy.parquet"


def test_a_later_one_adds_and_replaces_what_is_finished_here_and_keeps_the_rest(half):
    kept = (SET / "trainings/grpo/seed0/history.csv").read_text()
    for folder in ("train", "score/test", "generate/test"):
        (ROOT / folder / "grpo").rename(ROOT / folder / "gone")
    train(("uniapl", 0))
    write(ROOT / "train/sft/seed0/history.csv", "step,loss\n1,9\n")
    manifest = publish_partial("smoke", COMMIT)
    assert {*manifest["trainings"]} == {name_of(training) for training in HALF | {("uniapl", 0)}}
    assert (SET / "trainings/sft/seed0/history.csv").read_text().endswith("1,9\n")
    assert (SET / "trainings/grpo/seed0/history.csv").read_text() == kept
    assert manifest["trainings"]["uniapl/seed0"]["evaluated"] == []  # its card alone
    assert partial.read_partial(SET) == manifest


def test_an_edit_of_a_set_is_named_and_nothing_is_built_on_it(half, capsys):
    manifest = json.loads((SET / partial.MANIFEST).read_text())
    assert list(files.contradictions(SET, manifest | {"id": "other"}, partial.MANIFEST)) == [
        f"{SET}/partial.json: says id other, its files have {manifest['id']}"
    ]
    write(SET / "trainings/sft/seed0/test/greedy.csv", "key,index,instruction_id,strict,loose\n1,0,a:x,1,1\n")
    with pytest.raises(SystemExit):
        verify.main([str(SET)])
    assert "sft/seed0/test/greedy.csv: is not the file of the manifest" in capsys.readouterr().err
    for command in (lambda: publish_partial("smoke", COMMIT), lambda: take.take(SET, ROOT.parent)):
        with pytest.raises(UserError, match="greedy.csv: is not the file .* restore the set"):
            command()


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda: train(("uniapl", 0), fingerprint="0"), "uniapl/seed0.* other settings than the arm has now"),
        (lambda: train(("uniapl", 0), commit="c0ffee-dirty"), "trained from c0ffee-dirty"),
        (lambda: train(("uniapl", 0), commit="0" * 40), "uniapl/seed0 was trained at commit 0{12}, others at c0ffee"),
        (lambda: make_data('{"rows": 4}'), "trainings on other data are not mixed"),
        (lambda: write(SET / "manifest.json", "{}"), "holds a whole set"),
        (lambda: write(ROOT / "train/sft/seed0/history.csv", "x" * (files.LARGEST + 1)), "published files stay below"),
    ],
)
def test_what_would_mix_runs_is_refused_in_one_line_and_changes_nothing(half, spoil, message):
    spoil()
    before = {path: path.read_bytes() for path in SET.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=message) as error:
        publish_partial("smoke", COMMIT)
    assert "\n" not in str(error.value)
    assert {path: path.read_bytes() for path in SET.rglob("*") if path.is_file()} == before


def test_nothing_finished_is_nothing_published():
    with pytest.raises(UserError, match="nothing of scale smoke is finished"):
        publish_partial("smoke", COMMIT)
    make_data()
    with pytest.raises(UserError, match="no training is finished"):
        publish_partial("smoke", COMMIT)


def test_a_limit_for_each_experiment(tmp_path):
    paths = [tmp_path / str(i) for i in range(4)]
    for path in paths:
        path.write_bytes(bytes(files.LARGEST))
    files.check_sizes(paths, 2)
    with pytest.raises(UserError, match=f"4 files of .* of 1 experiment.* stays below {files.LARGEST_SET}"):
        files.check_sizes(paths, 1)


def test_snakemake_trains_what_is_left_and_nothing_twice(half, clone, monkeypatch):
    """In a new clone: the data, then what others need the weights of, then the rest of the set, then what is left."""
    monkeypatch.chdir(clone.folder)
    with pytest.raises(UserError, match="make the data first.*snakemake --cores all --config scale=smoke"):
        take.take(half, ROOT.parent)
    make_data()
    with pytest.raises(UserError, match="others start from need weights here.*") as error:
        take.take(half, ROOT.parent)
    first = [("base", 0), ("discriminator", 0)]  # what is outside HALF starts from them
    assert [line for line in str(error.value).split() if line.endswith("run.json")] == [
        f"{ROOT}/train/{name_of(training)}/run.json" for training in first
    ]
    assert not (ROOT / "train").exists()
    for training in first:
        train(training)
    expected = HALF - {*first}
    taken, left = take.take(half, ROOT.parent)
    assert {*taken} == expected == {("grpo", 0), ("sft", 0), ("sft_then_grpo", 0)} and not left
    for training in taken:
        here = local_files(ROOT, RUNS, training)
        source = half / "trainings" / name_of(training)
        assert {name: path.read_bytes() for name, path in here.items()} == {
            str(path.relative_to(source)): path.read_bytes() for path in source.rglob("*.*")
        }
    with pytest.raises(UserError, match="holds no weights: its training was taken from a published set"):
        load_tokenizer(ROOT / "train" / name_of(taken[0]) / "model")
    code, out = clone.snakemake("-n", "--config", "scale=smoke")
    assert code == 0, out
    jobs = planned(out)
    assert jobs["train"] == len(wanted(RUNS) - expected - {*first}) and "data" not in jobs
    asked = {arm for name in RUNS.default for arm, _ in RUNS.evaluated(name)}
    assert jobs["generate"] == jobs["score"] == len(asked - {arm for arm, _ in expected})


def test_a_training_that_another_starts_from_is_made_and_what_starts_from_it_taken():
    """sft_then_grpo is left: sft's weights are needed, and no set has weights."""
    base = {("base", 0), ("discriminator", 0)}
    finished = base | {("sft", 0), ("grpo", 0), ("uniapl", 0)}
    assert take.takeable(RUNS, finished, set()) == {("grpo", 0), ("uniapl", 0)}
    whole = finished | {("sft_then_grpo", 0)}
    assert take.takeable(RUNS, whole, base) == whole - base
    assert take.first_to_make(RUNS, {("sft_then_grpo", 0)}, base) == [("sft", 0)]


def test_data_that_cannot_be_drawn_anew_are_part_of_the_set(tmp_path):
    make_data()
    partial.copy_data(ROOT / "data", tmp_path / "smoke", drawn_anew=False)
    before = {path.name: path.read_bytes() for path in (ROOT / "data").iterdir()}
    take.take_data(tmp_path / "smoke", tmp_path / "elsewhere")
    written = (path for path in (tmp_path / "elsewhere").iterdir() if not path.name.startswith("."))
    assert {path.name: path.read_bytes() for path in written} == before
    make_data('{"rows": 4}')
    with pytest.raises(UserError, match="trainings on other data are not taken"):
        take.take_data(tmp_path / "smoke", ROOT / "data")


def test_a_training_is_taken_only_where_the_data_of_its_seed_are():
    tiny, root = Runs(load_scale("tiny")), Path("results/local/tiny")
    write(root / "data/summary.json", "{}")
    taken = [("grpo", 0), ("grpo", 3), ("sft", 3), ("sft", 1)]
    assert take.draws_to_make(tiny, taken, root) == [root / f"data/seed{k}/summary.json" for k in (1, 3)]
    write(root / "data/seed3/summary.json", "{}")
    assert take.draws_to_make(tiny, taken[:3], root) == []
    assert take.draws_to_make(RUNS, [("grpo", 0)], root) == []


def test_all_taken_leaves_only_tables(half):
    for training in wanted(RUNS) - HALF:
        train(training)
        evaluate(training)
    assert publish_partial("smoke", COMMIT)["missing"] == []
    os.rename("results/local", "results/other")
    make_data()
    saved = SET.rename(SET.with_name("saved"))  # its manifest, not its folder, says the scale
    write(ROOT / MARK, "/somewhere/else\n")
    with pytest.raises(UserError, match="holds results of /somewhere/else"):
        take.take(saved, ROOT.parent)
    (ROOT / MARK).unlink()
    taken, left = take.take(saved, ROOT.parent)
    assert {*taken} == wanted(RUNS) and not left


def test_data_that_are_not_as_they_were_written_are_not_published(tmp_path):
    data, fresh = tmp_path / "data", tmp_path / "fresh"
    data.mkdir()
    (data / "summary.json").write_text('{"rows": 1}')
    checksums.record(data)
    (data / "summary.json").write_text('{"rows": 2}')
    with pytest.raises(UserError, match="summary.json: not as it was written"):
        partial.copy_data(data, fresh, drawn_anew=True)
    assert not fresh.exists()
