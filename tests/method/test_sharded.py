"""FSDP 2 as paper_4b runs it, on two CPU processes: one process's gradient, in float32 and bfloat16; kill -9; rollouts
of a stand-in for vLLM, within the processes and behind a server. One command serves all tests."""

import os
import subprocess
import sys

import pytest
import torch
from support.places import ROOT

from uniapl.errors import UserError
from uniapl.models.devices import check_distribution


def differ(one: torch.Tensor, other: torch.Tensor) -> float:
    """The relative difference of two vectors."""
    return ((one - other).norm() / one.norm()).item()


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What tests/support/sharded.py writes with one process, and with two that share a policy's parameters."""
    folder = tmp_path_factory.mktemp("sharded")
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    environment["TOKENIZERS_PARALLELISM"] = "false"  # or it warns of every fork
    environment["PYTHONPATH"] = f"{ROOT / 'tests/support/stand_ins'}:{ROOT / 'tests'}:{ROOT}"
    command = [sys.executable, str(ROOT / "tests/support/sharded.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-5000:]
    return [torch.load(folder / f"{n}.pt", weights_only=True) for n in (1, 2)]


@pytest.mark.parametrize("method", ["sft", "grpo", "uniapl"])
def test_a_sharded_policy_has_the_gradient_of_a_whole_one(processes, method):
    """With micro-batches and gradient checkpointing; UniAPL's two backward passes are one step."""
    one, two = (measured[method] for measured in processes)
    assert one.norm() > 0 and differ(one, two) < 1e-5


def test_in_bfloat16_it_is_as_near_to_float32_as_one_process_is(processes):
    exact = processes[0]["uniapl"]
    alone, both = (differ(exact, measured["bfloat16"]) for measured in processes)
    assert 0 < alone < 0.05 and 0 < both < 2 * alone + 0.01


def test_polar_is_loaded_whole_in_every_process(processes):
    """Inside a process group transformers gives the second one zeros where FSDP loads efficiently."""
    (alone,), both = (measured["polar"] for measured in processes)
    assert both == [alone, alone]


def test_a_sharded_training_of_which_a_process_was_killed_ends_with_the_same_weights(processes):
    """By kill -9, while the other had begun to write a checkpoint. The launcher then kills the other one too."""
    found = processes[1]["resumed"]
    whole, continued = found["weights"]
    assert (found["from"], found["left"]) == ("checkpoint-2", ["checkpoint-2"])
    assert torch.equal(whole, continued) and whole.norm() > 0


# Rollouts of vLLM --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["colocated", "served"])
@pytest.mark.parametrize("which", [0, 1], ids=["one process", "two sharded"])
def test_what_was_pushed_is_what_generates(processes, which, mode):
    """The stand-in has random weights of its own until a synchronization; so far a step that old ones would be seen."""
    found = processes[which][mode]
    assert len(found["differences"]) == which + 1 and max(found["differences"]) < 1e-4
    assert found["ratios"] == pytest.approx([1.0, 1.0], abs=1e-4)
    first, second = found["terms"]
    assert all(first) and second[1] > 0 and min(found["gradients"]) > 0


@pytest.mark.parametrize("mode", ["colocated", "served"])
@pytest.mark.parametrize("which", [0, 1], ids=["one process", "two sharded"])
def test_every_parameter_is_pushed_once_before_each_steps_rollouts(processes, which, mode):
    found = processes[which][mode]
    for pushes in found["pushes"]:  # of each engine
        assert pushes == [found["policy"], found["policy"], []]  # two steps; nothing after the last


def test_each_engine_samples_by_the_runs_seed_and_its_process(processes):
    assert [found["colocated"]["seeds"] for found in processes] == [[5000], [5000, 5001]]


@pytest.mark.parametrize("which", [0, 1], ids=["one process", "two sharded"])
def test_a_server_is_asked_once_a_step_for_all_processes(processes, which):
    """Each prompt once, with as many samples as a group has, from the whole distribution."""
    asked = processes[which]["served"]["asked"]
    wanted = [body for path, body in asked if path == "/v1/completions"]
    assert [(len(body["prompt"]), body["n"]) for body in wanted] == [(1, 8)] * 2
    assert {(body["temperature"], body["top_p"], body["top_k"], body["logprobs"]) for body in wanted} == {(1, 1, 0, 0)}
    (begun,) = [body["init_info"] for path, body in asked if path == "/init_weight_transfer_engine"]
    assert (begun["rank_offset"], begun["world_size"]) == (1, 2)
    of_step = ["/start_weight_update", "/update_weights", "/finish_weight_update", "/reset_prefix_cache"]
    posts = [path for path, body in asked if body is not None and path != "/init_weight_transfer_engine"]
    assert posts == [*of_step, "/v1/completions"] * 2


def test_a_server_that_cannot_serve_is_named_with_what_it_lacks(processes):
    off, no_transfer, gone = processes[0]["refusals"]
    assert all(said.startswith("rollouts from URL: ") for said in (off, no_transfer, gone))
    assert "VLLM_SERVER_DEV_MODE=1" in off and "--weight-transfer-config" in no_transfer
    assert "can't be reached" in gone


# What really runs ------------------------------------------------------------------------------------


class Accelerator:
    def __init__(self, kind: str, count: int):
        from accelerate.utils import DistributedType

        self.distributed_type, self.num_processes = DistributedType(kind), count


@pytest.mark.parametrize(
    "kind, count, started, sharded, said",
    [
        ("FSDP", 2, 2, True, None),
        ("DEEPSPEED", 2, 2, True, None),
        ("MULTI_GPU", 2, 2, False, None),
        ("NO", 1, 1, False, None),
        ("MULTI_CPU", 2, 2, True, "compute.sharded=True .*accelerate runs MULTI_CPU in 2"),  # the FSDP file on a CPU
        ("NO", 1, 1, True, "compute.sharded=True .*accelerate runs NO in 1"),
        ("FSDP", 2, 2, False, "compute.sharded=False .*accelerate runs FSDP"),
        ("NO", 1, 2, False, "2 processes were started, and accelerate sees 1"),
    ],
)
def test_what_runs_is_what_the_scale_asks_for_or_it_is_refused(monkeypatch, kind, count, started, sharded, said):
    monkeypatch.setenv("WORLD_SIZE", str(started))
    if said is None:
        check_distribution(Accelerator(kind, count), sharded=sharded)
    else:
        with pytest.raises(UserError, match=said):
            check_distribution(Accelerator(kind, count), sharded=sharded)
