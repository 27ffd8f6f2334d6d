"""What the first steps of a training should say, on histories of ours; the training itself, on a miniature."""

import json

import pytest
from support import miniature

from experiments.scales import PAPER, SMOKE
from uniapl.config.runs import Runs
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl
from uniapl.preflight import steps
from uniapl.preflight import train as training

GOOD = {
    "step": 1.0,
    "loss": 0.1,
    "grad_norm": 0.5,
    "reward": 0.3,
    "zero_variance": 0.4,
    "clipped": 0.05,
    "sampler_difference": 0.01,
    "sampler_ratio": 1.0,
    "auc": 0.9,
    "loss_adversarial": -0.1,
    "seconds": 2.0,
    "peak_memory_mb": 100.0,
}


def failed(**changes) -> set[str]:
    rows = [GOOD | changes, {**GOOD, **changes, "step": 2.0}]
    return {found.name for found in steps.findings(rows, vllm=True, adversarial=True) if not found.passed}


@pytest.mark.parametrize(
    "name, value",
    [
        ("loss", float("nan")),
        ("grad_norm", float("inf")),
        ("reward", 0.0),
        ("reward", 1.0),
        ("zero_variance", 1.0),
        ("clipped", 0.6),
        ("sampler_difference", 0.5),
        ("sampler_ratio", 0.56),
        ("auc", 0.5),
        ("loss_adversarial", float("nan")),
    ],
)
def test_each_reading_fails_by_itself(name, value):
    assert failed() == set()
    assert failed(**{name: value}) == {name}


def test_a_reading_that_is_not_there_does_not_pass():
    bare = [{"step": 1.0, "loss": 0.1}]
    names = {found.name for found in steps.findings(bare, vllm=True, adversarial=True) if not found.passed}
    assert names >= {"grad_norm", "reward", "sampler_difference", "auc"}
    assert not {"auc", "sampler_ratio"} & {found.name for found in steps.findings(bare, vllm=False, adversarial=False)}


def test_without_the_stages_before_the_command_that_runs_them_is_said(tmp_path):
    with pytest.raises(UserError, match="snakemake --cores all --config scale=paper -- .*data/summary.json"):
        steps.steps(Runs(PAPER), 16, tmp_path)
    with pytest.raises(UserError, match="--steps 0: must be at least 1"):
        steps.steps(Runs(SMOKE), 0, tmp_path)


def test_a_training_of_two_steps_writes_the_history_that_is_read(tmp_path, policy):
    rows = [{**row, "demonstration": row["response"]} for row in miniature.rows()]
    for name in ("train", "validation"):
        write_jsonl(tmp_path / f"{name}.jsonl", rows[:8])
    write_jsonl(tmp_path / "expert.jsonl", [{"key": row["key"], "response": row["response"]} for row in rows[:8]])
    (tmp_path / "summary.json").write_text(json.dumps({}))
    line = ["--scale", "smoke", "--arm", "grpo", "--steps", "2", "--data", tmp_path, "--base", policy]
    training.main([*map(str, line), "--out", str(tmp_path / "out")])
    found = steps.read_history(tmp_path / "out/history.csv")
    assert [row["step"] for row in found] == [1, 2] and {"loss", "reward", "clipped"} <= found[0].keys()
    assert not (tmp_path / "out/state").exists()
