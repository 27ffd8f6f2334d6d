"""What would be biased, or compare unlike with unlike, is refused in one line that names it."""

import json

import pandas as pd
import pytest
from support.four_prompts import PLAN, inputs, logprobs, responses, run

from uniapl.analyse.inputs import provenance_by_run, run_provenance
from uniapl.checkers import version
from uniapl.errors import UserError
from uniapl.scorers import command

FACTS = dict(device="cpu, x86_64, 1 thread(s)", precision="float32", backend="hf", checkers="c0ffee")
RUNS = [("base", 0), ("grpo", 0), ("grpo", 1), ("uniapl", 0)]


def mixed(**changes) -> pd.DataFrame:
    """MADE of RUNS, the last one with other facts."""
    return provenance_by_run((cell, FACTS | (changes if cell == RUNS[-1] else {})) for cell in RUNS)


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(backend="vllm"), "base/seed0 has backend hf and uniapl/seed0 has backend vllm: .* one backend"),
        (dict(precision="bfloat16"), "base/seed0 has precision float32 and uniapl/seed0 has precision bfloat16"),
        (dict(device="NVIDIA H200"), "base/seed0 has device cpu and uniapl/seed0 has device gpu"),
        (dict(checkers="decade"), "base/seed0 has checkers c0ffee and uniapl/seed0 has checkers decade: .*score"),
    ],
)
def test_runs_that_were_made_differently_are_not_compared(change, message):
    with pytest.raises(UserError, match=message):
        run(inputs(provenance=mixed(**change)))


def test_what_is_not_known_is_no_difference():
    run(inputs(provenance=mixed(backend=None, checkers=None)))
    other = dict(device="cpu, aarch64, 8 thread(s)")  # one kind
    run(inputs(provenance=mixed(**other)))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda: dict(responses=responses()[1:]), "base/seed0/sampled.parquet: 2 of 3 prompts .first odd key: 1"),
        (
            lambda: dict(responses=pd.concat([responses(), responses()[:1]])),
            "base/seed0/sampled.parquet: key 1 is there twice",
        ),
        (
            lambda: dict(logprobs=logprobs()[1:]),
            "grpo/seed0/logprobs.parquet, own text under self: 2 of 3 prompts .first odd key: 1",
        ),
        (
            lambda: dict(logprobs=pd.concat([logprobs(), logprobs()[:1]])),
            "grpo/seed0/logprobs.parquet, own text under self: key 1 is there twice",
        ),
    ],
)
def test_a_run_with_fewer_or_repeated_prompts_is_named(change, message):
    with pytest.raises(UserError, match=message):
        run(inputs(**change()), PLAN)


def test_backend_and_checkers_are_what_generate_and_score_wrote(tmp_path):
    (tmp_path / "train/a/seed0").mkdir(parents=True)
    (tmp_path / "train/a/seed0/run.json").write_text(json.dumps({"device": "cpu"}))
    assert run_provenance(tmp_path, "test", "a", 0) == {"device": "cpu"}
    for stage, name, text in (("generate", "harness", {}), ("score", "checkers", {"checkers": "c0ffee"})):
        (tmp_path / f"{stage}/test/a/seed0").mkdir(parents=True)
        (tmp_path / f"{stage}/test/a/seed0/{name}.json").write_text(json.dumps(text))
    assert run_provenance(tmp_path, "test", "a", 0) == {
        "device": "cpu",
        "backend": "transformers",
        "checkers": "c0ffee",
    }
    (tmp_path / "generate/test/a/seed0/harness.json").write_text('{"backend": "vllm"}')
    assert run_provenance(tmp_path, "test", "a", 0)["backend"] == "vllm"


def test_the_version_of_the_checkers_changes_with_any_of_their_files(tmp_path, monkeypatch):
    monkeypatch.setattr(version, "HERE", tmp_path)
    (tmp_path / "a.py").write_text("1")
    first = version.version()
    (tmp_path / "b.py").write_text("")
    second = version.version()
    (tmp_path / "b.py").write_text("1")
    assert len({first, second, version.version()}) == 3 and len(first) == 12


def test_score_records_its_checkers_beside_the_scores_where_it_is_asked(tmp_path):
    prompt = {"key": 1, "prompt": "p", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    for name, row in (("prompts", prompt), ("responses", {"key": 1, "response": "no comma"})):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    words = ["--prompts", f"{tmp_path}/prompts.jsonl", "--responses", f"{tmp_path}/responses.jsonl"]
    words += ["--out", f"{tmp_path}/scores.csv"]
    command.main(words)
    assert not (tmp_path / "checkers.json").exists()
    command.main([*words, "--record"])
    assert json.loads((tmp_path / "checkers.json").read_text()) == {"checkers": version.version()}


def test_a_checkpoint_that_was_fetched_has_no_device_of_its_own():
    found = provenance_by_run([(("base", 0), {"device": "none"}), (("sft", 0), {"device": "NVIDIA H100"})])
    assert [None if pd.isna(device) else device for device in found.device] == [None, "gpu"]
