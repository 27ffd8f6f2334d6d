"""FSDP 2 as paper_4b runs it, on two CPU processes: one process's gradient, in float32 and bfloat16; a resume."""

import os
import subprocess
import sys

import pytest
import torch
from support import sharded
from support.places import ROOT

from uniapl.errors import UserError
from uniapl.models.devices import check_distribution


def differ(one: torch.Tensor, other: torch.Tensor) -> float:
    """The relative difference of two vectors."""
    return ((one - other).norm() / one.norm()).item()


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What tests/support/sharded.py writes in this process, and with two that share a policy's parameters."""
    folder = tmp_path_factory.mktemp("sharded")
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = f"{ROOT / 'tests'}:{ROOT}"
    sharded.main(folder)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launcher, str(ROOT / "tests/support/sharded.py"), str(folder)]
    environment |= sharded.environment()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / f"{n}.pt", weights_only=True) for n in (1, 2)]


@pytest.mark.parametrize("method", sharded.METHODS)
def test_a_sharded_policy_has_the_gradient_of_a_whole_one(processes, method):
    """With micro-batches and gradient checkpointing; UniAPL's two backward passes are one step."""
    one, two = (measured[method] for measured in processes)
    assert one.norm() > 0 and differ(one, two) < 1e-5


def test_in_bfloat16_it_is_as_near_to_float32_as_one_process_is(processes):
    exact = processes[0]["uniapl"]
    alone, both = (differ(exact, measured["bfloat16"]) for measured in processes)
    assert 0 < alone < 0.05 and 0 < both < 2 * alone + 0.01


def test_a_sharded_training_that_was_interrupted_ends_with_the_same_weights(processes):
    whole, continued = processes[1]["resumed"]
    assert torch.equal(whole, continued) and whole.norm() > 0


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
