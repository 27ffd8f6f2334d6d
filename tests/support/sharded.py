"""One step of several methods under FSDP 2, on two CPU processes: `torchrun tests/support/sharded.py FOLDER`.

accelerate takes FSDP for accelerators alone; `take_gloo` lets it have a CPU's. The settings are those of
envs/accelerate/fsdp.yaml. Written is what one process must compute too, and a training that was interrupted.
"""

import os
import sys
from pathlib import Path

import accelerate.state
import torch
import yaml
from accelerate.utils import DistributedType

from support import miniature, trainers
from support.places import ROOT
from support.two_processes import MIXED, ONE_STEP, scripted
from uniapl.method.grpo import GRPO
from uniapl.method.trainer import UniAPLTrainer
from uniapl.models.devices import check_distribution, reduce_in_float32

SMALL = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "gradient_checkpointing": True}
METHODS = {
    "sft": lambda folder, **o: trainers.sft(folder, rows=miniature.chats(8), **o),
    "grpo": lambda folder, **o: trainers.own_grpo(folder, trainer=scripted(GRPO), **o),
    "uniapl": lambda folder, **o: trainers.uniapl(folder, trainer=scripted(UniAPLTrainer), **MIXED, **o),
}


def environment() -> dict[str, str]:
    """What accelerate's launcher sets for envs/accelerate/fsdp.yaml."""
    given = yaml.safe_load((ROOT / "envs/accelerate/fsdp.yaml").read_text())["fsdp_config"]
    return (
        {"ACCELERATE_USE_FSDP": "true"}
        | {name.upper(): str(value).lower() for name, value in given.items()}
        | {name.upper(): str(given[name]) for name in ("fsdp_auto_wrap_policy", "fsdp_state_dict_type")}
    )


def take_gloo() -> None:
    """Let accelerate shard over CPU processes, as it does over GPUs."""
    begin = accelerate.state.AcceleratorState.__init__

    def init(self, *args, fsdp_plugin=None, **kwargs):
        begin(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
        if fsdp_plugin is not None and self.distributed_type != DistributedType.FSDP:
            self.distributed_type = DistributedType.FSDP
            accelerate.state.PartialState._shared_state["distributed_type"] = DistributedType.FSDP
            if self._mixed_precision != "no":
                fsdp_plugin.set_mixed_precision(self._mixed_precision)
            self.fsdp_plugin = fsdp_plugin

    accelerate.state.AcceleratorState.__init__ = init


def first_step(build, folder: Path, **options) -> torch.Tensor:
    """The gradient of one step, gathered."""
    trainer = build(folder, **{**ONE_STEP, **SMALL, **options})
    check_distribution(trainer.accelerator, sharded="ACCELERATE_USE_FSDP" in os.environ)
    reduce_in_float32(trainer.accelerator)
    return trainers.trained(trainer)[1][0]


def resumed(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of a UniAPL training of four steps, and of its continuation from the checkpoint of the second."""
    found = []
    for checkpoint in (None, str(folder / "checkpoint-2")):
        options = {**ONE_STEP, **SMALL, "max_steps": 4, "save_strategy": "steps", "save_steps": 2}
        trainer = METHODS["uniapl"](folder, **options)
        trainer.train(resume_from_checkpoint=checkpoint)
        found.append(miniature.weights(trainer.model))
    return tuple(found)


def main(folder: Path) -> None:
    """Write what two processes compute, or one, to FOLDER/<their number>.pt."""
    if "ACCELERATE_USE_FSDP" in os.environ:
        take_gloo()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    rows = {"per_device_train_batch_size": 4 // processes}
    found = {name: first_step(build, folder, **rows) for name, build in METHODS.items()}
    found["bfloat16"] = first_step(METHODS["uniapl"], folder, bf16=True, **rows)
    if processes > 1:
        found["resumed"] = resumed(folder / "resumed")
    if os.environ.get("RANK", "0") == "0":
        torch.save(found, folder / f"{processes}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
