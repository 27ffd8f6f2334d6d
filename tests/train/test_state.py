"""What of a trainer's log reaches history.csv, and which checkpoint several processes continue from."""

import json
import types
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import PartialState
from trl.trainer import grpo_trainer

from baselines import grpo
from uniapl.config import Compute, StepRows, arm_of, load_scale
from uniapl.config.job import Job
from uniapl.errors import UserError
from uniapl.models.devices import reduce_in_float32
from uniapl.train.history import NAMES, history
from uniapl.train.state import COMPLETE, check_configuration, last_checkpoint


def test_a_cut_rollout_and_the_difference_between_vllm_and_the_policy_are_in_the_history():
    measured = {name: i / 10 for i, name in enumerate(NAMES, start=1)}
    (row,) = history([{"step": 1, **measured, "sampling/unknown": 1.0}], grpo, StepRows(rollouts=4))
    for theirs, ours in NAMES.items():
        if ours != "tokens_seen":
            assert row[ours] == measured[theirs]
    assert {"clipped", "sampler_difference", "sampler_ratio"} <= row.keys() and "sampling/unknown" not in row


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("sampling/", "completions/"))])
def test_the_name_is_one_that_trl_logs(name):
    """Nothing else would say that TRL has renamed it: without vLLM these metrics are not logged."""
    with open(grpo_trainer.__file__) as source:
        text = source.read()
    assert f'"{name}"' in text


class Processes:
    """Stands for accelerate's object in one of several processes; `waits` counts the barriers."""

    def __init__(self, first: bool, others=lambda: None):
        self.is_main_process, self.others, self.waits = first, others, 0

    def wait_for_everyone(self):
        self.waits += 1
        self.others()


def checkpoints(folder, *complete):
    for step in (2, 4, 10):
        (folder / f"checkpoint-{step}").mkdir()
        if step in complete:
            (folder / f"checkpoint-{step}" / COMPLETE).touch()


def test_the_first_process_removes_half_written_checkpoints_and_the_newest_complete_one_is_continued(tmp_path):
    checkpoints(tmp_path, 2, 4)
    processes = Processes(first=True)
    assert last_checkpoint(tmp_path, processes).name == "checkpoint-4"
    assert not (tmp_path / "checkpoint-10").exists() and processes.waits == 1
    assert last_checkpoint(tmp_path / "nowhere", processes) is None


def test_another_process_removes_nothing_and_looks_when_the_first_is_done(tmp_path):
    checkpoints(tmp_path, 2, 4)
    until_then = []

    def first():
        until_then.extend(path.name for path in tmp_path.iterdir())
        last_checkpoint(tmp_path, Processes(first=True))

    second = Processes(first=False, others=first)
    assert last_checkpoint(tmp_path, second).name == "checkpoint-4" and second.waits == 1
    assert "checkpoint-10" in until_then


@pytest.mark.parametrize(("precision", "changed"), [("bf16", True), ("no", False)])
def test_fsdp_in_bfloat16_reduces_and_returns_float32(precision, changed):
    plugin = types.SimpleNamespace(mixed_precision_policy="accelerate's")
    state = types.SimpleNamespace(fsdp_plugin=plugin)
    reduce_in_float32(types.SimpleNamespace(state=state, mixed_precision=precision))
    policy = plugin.mixed_precision_policy
    if changed:
        assert (policy.param_dtype, policy.reduce_dtype) == (torch.bfloat16, torch.float32)
        assert policy.output_dtype == torch.float32
    else:
        assert policy == "accelerate's"
    reduce_in_float32(types.SimpleNamespace(state=PartialState(), mixed_precision=precision))  # without FSDP: nothing


@pytest.fixture
def unfinished(tmp_path):
    """A run of which the machine decides the precision, before its state folder is claimed."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/summary.json").write_text("{}")
    run = replace(arm_of(load_scale("smoke"), "grpo", 0), compute=Compute(bf16=None))
    return Job(run=run, data=tmp_path / "data", start=tmp_path / "start", state=tmp_path / "state")


def test_a_machine_with_another_precision_does_not_continue_a_run(unfinished, monkeypatch):
    monkeypatch.setattr("uniapl.models.precision.multiplies_bfloat16", lambda: False)
    check_configuration(unfinished)
    check_configuration(unfinished)
    monkeypatch.setattr("uniapl.models.precision.multiplies_bfloat16", lambda: True)
    with pytest.raises(UserError, match=r"another configuration \(precision: float32 -> bfloat16\)"):
        check_configuration(unfinished)
    path = unfinished.state / "run.json"
    older = {key: value for key, value in json.loads(path.read_text()).items() if key != "precision"}
    path.with_name(".run.json.sha256").unlink()
    path.write_text(json.dumps(older))
    check_configuration(unfinished)  # begun before the precision was kept


def test_the_state_says_once_whose_it_is_and_is_never_half_written(unfinished, monkeypatch):
    path, write = unfinished.state / "run.json", Path.write_text

    def full(path, text):
        write(path, text[:9])
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as disk, pytest.raises(OSError):
        disk.setattr(Path, "write_text", full)
        check_configuration(unfinished)
    assert not path.exists()
    check_configuration(unfinished)
    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", full)
        check_configuration(unfinished)
