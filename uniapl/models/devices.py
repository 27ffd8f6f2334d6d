"""One entry for one device and for several: a training that was granted more than one GPU starts once on each."""

import os
import sys

from uniapl.errors import UserError
from uniapl.provenance import ROOT

SHARDING = ("FSDP", "DEEPSPEED")  # accelerate's names of what spreads a policy over processes
FSDP = ROOT / "envs/accelerate/fsdp.yaml"


def command(module: str, argv: list[str], devices: int, *, sharded: bool) -> list[str]:
    """The command that runs the module once per device: torchrun, or accelerate with FSDP where it is sharded."""
    if sharded:
        launch = ["accelerate.commands.launch", "--config_file", str(FSDP), "--num_processes", str(devices)]
        return [sys.executable, "-m", *launch, "-m", module, *argv]
    launch = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(devices)]
    return [sys.executable, "-m", *launch, "--module", "--", module, *argv]


def reduce_in_float32(accelerator) -> None:
    """Let FSDP 2 add up gradients and return log-probabilities in float32, as one device does under autocast.

    accelerate's default for bf16 has both in bfloat16: the loss of a step reads 6.125 where it is 6.123, and the two
    scales would not be one method. Without FSDP, or without bf16, nothing is changed.
    """
    plugin = getattr(accelerator.state, "fsdp_plugin", None)
    if plugin is not None and accelerator.mixed_precision == "bf16":
        import torch
        from torch.distributed.fsdp import MixedPrecisionPolicy

        plugin.mixed_precision_policy = MixedPrecisionPolicy(
            param_dtype=torch.bfloat16, reduce_dtype=torch.float32, output_dtype=torch.float32
        )


def on_all_devices(module: str, argv: list[str], *, sharded: bool) -> None:
    """Replace this process by one on each granted GPU (UNIAPL_GPUS, which uniapl.dag.lease sets).

    Returns where there is one, or where a launcher already started this process (accelerate launch, torchrun, srun).
    """
    granted = int(os.environ.get("UNIAPL_GPUS", 1))
    if granted > 1 and "WORLD_SIZE" not in os.environ:
        os.execv(sys.executable, command(module, argv, granted, sharded=sharded))


def check_distribution(accelerator, *, sharded: bool) -> None:
    """Raise UserError where the processes that run are not what the scale asks for.

    accelerate decides by what it finds: on a CPU its FSDP file gives copies of the policy, and a launcher that it does
    not recognise gives processes that train apart, each over the other's files, and end without an error.
    """
    kind, count = str(accelerator.distributed_type.value), accelerator.num_processes
    if count != processes():
        raise UserError(
            f"{processes()} processes were started, and accelerate sees {count}: each would train by itself; start "
            "them with torchrun or accelerate launch, one per GPU"
        )
    if sharded != (kind in SHARDING):
        asked = f"compute.sharded={sharded} (experiments/scales.py)"
        raise UserError(
            f"the scale says {asked}, and accelerate runs {kind} in {count} process(es): let the lease grant the GPUs "
            "that the scale asks for, with envs/accelerate/fsdp.yaml where it is sharded and torchrun elsewhere"
        )


def processes() -> int:
    """How many processes train this run together: one per device."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Whether this process writes for all of them: the first, or the only one."""
    return os.environ.get("RANK", "0") == "0"


def batch_sizes(rows: int, most: int | None, devices: int | None = None) -> dict:
    """TrainingArguments that make one optimizer step read `rows` rows, whatever the number of processes (`devices`).

    No process reads more than `most` rows at a time (None: no limit); what is left is gradient accumulation. Raises
    UserError where the processes cannot share the rows equally.
    """
    devices = devices or processes()
    per_device, left = divmod(rows, devices)
    if left or not per_device:
        raise UserError(
            f"{rows} rows per step cannot be shared equally by {devices} processes: grant a divisor of {rows}"
        )
    most = min(most or per_device, per_device)
    passes = next(n for n in range(1, per_device + 1) if per_device % n == 0 and per_device // n <= most)
    return {"per_device_train_batch_size": per_device // passes, "gradient_accumulation_steps": passes}
