"""Stage train on several devices: the rows of a step are shared, one process writes, and the result is the same."""

import json
import os
import signal
import subprocess
import time
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.places import ROOT
from support.settings import EVALUATION
from support.train_command import ENVIRONMENT, arguments, command

from uniapl.config import Compute
from uniapl.config.job import Job
from uniapl.errors import UserError
from uniapl.models import devices
from uniapl.train.training import main, train


def granted(devices: int) -> dict[str, str]:
    """What the lease says where it granted so many of four; on this CPU they are processes."""
    return {"UNIAPL_GPUS": str(devices), "UNIAPL_GPUS_ASKED": "4"}


def start(world, arm, out):
    """The command of the DAG, on two devices."""
    env, pipe = {**ENVIRONMENT, **granted(2)}, subprocess.PIPE
    return subprocess.Popen(command(world, arm, out), env=env, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def alone(world, arm, out) -> None:
    """The same on one device, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in granted(1).items():
            patch.setenv(name, value)
        main(arguments(world, arm, out))


def card(out) -> dict:
    return json.loads((out / "run.json").read_text())


def weights(out) -> torch.Tensor:
    return torch.cat([value.flatten() for _, value in sorted(load_file(out / "model/model.safetensors").items())])


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    """A function that gives the folder of an arm trained by this many processes."""
    folder, done = tmp_path_factory.mktemp("trained"), set()

    def of(arm: str, devices: int):
        out = folder / f"{arm}{devices}"
        if out not in done and devices == 1:
            alone(world, arm, out)
        elif out not in done:
            process = start(world, arm, out)
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
        done.add(out)
        return out

    return of


def test_two_processes_learn_what_one_learns(trained):
    one, two = (weights(trained("sft", devices)) for devices in (1, 2))
    assert (one - two).abs().max() < 1e-5 and card(trained("sft", 2))["devices"] == {"granted": 2, "asked": 4}


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["grpo", "uniapl"])
def test_the_rows_of_a_step_do_not_depend_on_the_number_of_processes(trained, arm):
    one, two = (card(trained(arm, devices))["cost"] for devices in (1, 2))
    for name in ("optimizer_steps", "demonstration_rows", "rollouts"):
        assert one[name] == two[name]
    history = (trained(arm, 2) / "history.csv").read_text().splitlines()
    assert len(history) == 1 + 1 + 6  # the names, the probe before the first step, six steps
    assert not (trained(arm, 2) / "state").exists()


def test_what_two_processes_left_is_not_continued_by_one(world, tmp_path, capsys):
    process = start(world, "sft", tmp_path)
    while not list(tmp_path.glob("state/checkpoint-*/complete")) and process.poll() is None:
        time.sleep(0.02)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    for one in (process.pid, *map(int, children)):
        os.kill(one, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "run.json").exists(), "the run ended before it could be killed"
    with pytest.raises(SystemExit) as ended:
        alone(world, "sft", tmp_path)
    errors = capsys.readouterr().err
    assert ended.value.code == 2 and "processes: 2 -> 1" in errors and errors.count("error: ") == 1
    assert list(tmp_path.glob("state/checkpoint-*/complete"))


@pytest.mark.parametrize(
    ("rank", "error", "message"), [("0", UserError, "steps: None -> 2"), ("1", UserError, "arm x: no method")]
)
def test_only_the_first_process_looks_whose_the_unfinished_run_is(rank, error, message, tmp_path, monkeypatch):
    """The second one goes on, here to a method that builds none: it might read what the first is writing."""
    monkeypatch.setenv("RANK", rank)
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "run.json").write_text('{"settings": {}}')

    def refuses(job):
        raise ValueError("no method")

    absent = types.SimpleNamespace(build=refuses)
    run = types.SimpleNamespace(arm="x", method=absent, compute=Compute(), describe=lambda: {"settings": {"steps": 2}})
    with pytest.raises(error, match=message):
        train(Job(run=run, data=tmp_path, start=tmp_path, state=tmp_path), EVALUATION, tmp_path)
    assert (tmp_path / "run.json").read_text() == '{"settings": {}}'


def test_a_training_that_is_not_sharded_as_its_scale_asks_ends_before_its_first_step(tmp_path):
    (tmp_path / "summary.json").write_text("{}")
    alone = types.SimpleNamespace(distributed_type=types.SimpleNamespace(value="NO"), num_processes=1)
    method = types.SimpleNamespace(build=lambda job: types.SimpleNamespace(accelerator=alone))
    compute = Compute(sharded=True)
    run = types.SimpleNamespace(arm="x", method=method, compute=compute, describe=lambda: {"settings": {}})
    with pytest.raises(UserError, match="compute.sharded=True .*accelerate runs NO in 1 process"):
        train(Job(run=run, data=tmp_path, start=tmp_path, state=tmp_path / "state"), EVALUATION, tmp_path)


def test_a_sharded_training_in_bfloat16_adds_up_in_float32(tmp_path):
    """accelerate's own policy would reduce and return bfloat16 (uniapl.models.devices.reduce_in_float32)."""

    class Reached(Exception):
        pass

    def first_use(_):
        raise Reached

    (tmp_path / "summary.json").write_text("{}")
    plugin = types.SimpleNamespace(mixed_precision_policy="accelerate's")
    together = types.SimpleNamespace(
        distributed_type=types.SimpleNamespace(value="FSDP"),
        num_processes=1,
        is_main_process=True,
        mixed_precision="bf16",
        state=types.SimpleNamespace(fsdp_plugin=plugin),
    )
    trainer = types.SimpleNamespace(accelerator=together, remove_callback=first_use)
    method = types.SimpleNamespace(build=lambda job: trainer)
    compute = Compute(sharded=True)
    run = types.SimpleNamespace(arm="x", method=method, compute=compute, describe=lambda: {"settings": {}})
    with pytest.raises(Reached):
        train(Job(run=run, data=tmp_path, start=tmp_path, state=tmp_path / "state"), EVALUATION, tmp_path)
    assert plugin.mixed_precision_policy.reduce_dtype == torch.float32


def test_a_sharded_scale_starts_with_fsdp_and_another_with_torchrun():
    plain, sharded = (devices.command("uniapl.train", ["--start", "x"], 4, sharded=which) for which in (False, True))
    assert plain[1:] == "-m torch.distributed.run --standalone --nproc_per_node 4 --module -- uniapl.train".split() + [
        "--start",
        "x",
    ]
    assert sharded[2:4] == ["accelerate.commands.launch", "--config_file"] and "FSDP" in Path(sharded[4]).read_text()
    assert sharded[5:] == "--num_processes 4 -m uniapl.train --start x".split()


# Sharing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows, processes, most, batch, passes",
    [
        (32, 1, None, 32, 1),
        (32, 2, None, 16, 1),
        (256, 1, 8, 8, 32),
        (256, 8, 8, 8, 4),
        (30, 1, 8, 6, 5),  # 30 = 6 x 5: the largest divisor of at most 8
        (7, 1, 2, 1, 7),
        (8, 2, 100, 4, 1),
    ],
)
def test_a_step_has_its_rows_on_any_number_of_processes(rows, processes, most, batch, passes, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    shared = devices.batch_sizes(rows, most)
    assert shared == {"per_device_train_batch_size": batch, "gradient_accumulation_steps": passes}
    assert batch * passes * processes == rows


@pytest.mark.parametrize("rows, processes", [(32, 3), (2, 4)])
def test_rows_that_the_processes_cannot_share_are_refused(rows, processes, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    with pytest.raises(UserError, match=f"{rows} rows per step cannot be shared equally by {processes} processes"):
        devices.batch_sizes(rows, None)


def test_a_run_that_refuses_its_settings_says_so_in_one_line(monkeypatch):
    from uniapl.train import training as train

    def refuses(_):
        raise ValueError("needs one process")

    method = types.SimpleNamespace(build=refuses)
    run = types.SimpleNamespace(run=types.SimpleNamespace(arm="luffy", method=method))
    with pytest.raises(UserError, match="arm luffy: needs one process"):
        train.build(run)
