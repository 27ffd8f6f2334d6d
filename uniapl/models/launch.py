"""One entry for one device and for several: a training that was granted more than one GPU starts once on each."""

import os
import sys

from uniapl.provenance import ROOT

FSDP = ROOT / "envs/accelerate/fsdp.yaml"


def command(module: str, argv: list[str], devices: int, *, sharded: bool) -> list[str]:
    """The command that runs the module once per device: torchrun, or accelerate with FSDP where it is sharded."""
    if sharded:
        launch = ["accelerate.commands.launch", "--config_file", str(FSDP), "--num_processes", str(devices)]
        return [sys.executable, "-m", *launch, "-m", module, *argv]
    launch = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(devices)]
    return [sys.executable, "-m", *launch, "--module", "--", module, *argv]


def on_all_devices(module: str, argv: list[str], *, sharded: bool) -> None:
    """Replace this process by one on each granted GPU (UNIAPL_GPUS, which uniapl.dag.lease sets).

    Returns where there is one, or where a launcher already started this process (accelerate launch, torchrun, srun).
    """
    granted = int(os.environ.get("UNIAPL_GPUS", 1))
    if granted > 1 and "WORLD_SIZE" not in os.environ:
        os.execv(sys.executable, command(module, argv, granted, sharded=sharded))
