"""The configurations of `accelerate launch`, read by its own parser. No GPU is needed, and nothing is started."""

import pytest
from accelerate import FullyShardedDataParallelPlugin
from accelerate.commands import launch as command
from accelerate.utils import launch
from support.places import ROOT

LAUNCHERS = {
    "simple_launcher": lambda args: launch.prepare_simple_launcher_cmd_env(args)[1],
    "multi_gpu_launcher": launch.prepare_multi_gpu_env,
    "deepspeed_launcher": lambda args: launch.prepare_deepspeed_cmd_env(args)[1],
}


@pytest.fixture
def launched(monkeypatch):
    """`launched(name, option, ...)`: how accelerate would start a training inside a lease of GPUs 2 and 5."""
    for name in ("MASTER_PORT", "ACCELERATE_USE_CPU"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    chosen = {}
    for launcher in LAUNCHERS:
        choose = lambda args, launcher=launcher: chosen.update(launcher=launcher, args=args)  # noqa: E731
        monkeypatch.setattr(command, launcher, choose)

    def of(name: str, *options: str):
        file = str(ROOT / f"envs/accelerate/{name}.yaml")
        line = ["--config_file", file, *options, "-m", "uniapl.train", "--seed", "0"]
        command.launch_command(command.launch_command_parser().parse_args(line))
        return chosen["launcher"], chosen["args"], LAUNCHERS[chosen["launcher"]](chosen["args"])

    return of


def test_one_gpu_is_a_plain_process_in_bfloat16(launched):
    launcher, args, env = launched("one")
    assert launcher == "simple_launcher" and args.num_processes == 1
    assert (args.training_script, args.training_script_args) == ("uniapl.train", ["--seed", "0"])
    assert env["ACCELERATE_MIXED_PRECISION"] == "bf16" and env["CUDA_VISIBLE_DEVICES"] == "2,5"


@pytest.mark.parametrize("gpus", [2, 8])
def test_fsdp_shards_everything_over_as_many_gpus_as_the_lease_has(gpus, launched, monkeypatch):
    launcher, args, env = launched("fsdp", "--num_processes", str(gpus))
    assert launcher == "multi_gpu_launcher" and args.nproc_per_node == str(gpus)
    assert env["ACCELERATE_USE_FSDP"] == "true" and env["CUDA_VISIBLE_DEVICES"] == "2,5"
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()  # as a training's accelerator builds it
    assert plugin.fsdp_version == 2 and plugin.reshard_after_forward is True
    assert plugin.state_dict_type.name == "FULL_STATE_DICT"
    assert not plugin.activation_checkpointing and type(plugin.cpu_offload).__name__ == "OffloadPolicy"  # no offloading


@pytest.mark.parametrize("gpus", [2, 8])
def test_zero3_is_stage_3_without_offloading(gpus, launched):
    launcher, args, env = launched("zero3", "--num_processes", str(gpus))
    assert launcher == "deepspeed_launcher" and args.nproc_per_node == str(gpus)
    assert env["CUDA_VISIBLE_DEVICES"] == "2,5" and env["ACCELERATE_MIXED_PRECISION"] == "bf16"
    wanted = {"ZERO_STAGE": "3", "ZERO3_INIT": "true", "ZERO3_SAVE_16BIT_MODEL": "true"}
    wanted |= {"OFFLOAD_OPTIMIZER_DEVICE": "none", "OFFLOAD_PARAM_DEVICE": "none"}
    assert {name: env[f"ACCELERATE_DEEPSPEED_{name}"] for name in wanted} == wanted


@pytest.mark.parametrize("name", ["fsdp", "zero3"])
def test_two_trainings_on_one_machine_get_two_ports(name, launched):
    ports = {launched(name, "--num_processes", "2")[1].main_process_port for _ in range(2)}
    assert len(ports) == 2 and not ports & {0, 29500, None}


@pytest.mark.parametrize("name", ["fsdp", "zero3"])
def test_a_launch_without_the_number_of_gpus_is_refused(name, launched):
    with pytest.raises(ValueError, match="--num_processes"):
        launched(name)


def test_over_two_machines_every_one_starts_its_share_and_meets_the_others_at_the_first(launched):
    machines = (
        "--num_machines",
        "2",
        "--machine_rank",
        "1",
        "--main_process_ip",
        "node7",
        "--main_process_port",
        "29500",
    )
    _, args, _ = launched("fsdp", "--num_processes", "16", *machines)
    assert (args.nproc_per_node, args.nnodes, args.node_rank) == ("8", "2", 1)
    assert args.rdzv_endpoint == "node7:29500"
