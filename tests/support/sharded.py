"""One step of several methods by one process, and under FSDP 2 by two: `python tests/support/sharded.py FOLDER`.

accelerate takes FSDP for accelerators alone; `take_gloo` lets it have a CPU's. The settings are those of
envs/accelerate/fsdp.yaml. Beside the steps there are trainings with rollouts of vLLM's stand-in, and one that is killed
and goes on.
"""

import os
import signal
import sys
from pathlib import Path

import accelerate.state
import torch
import yaml
from accelerate.utils import DistributedType, gather_object
from transformers import TrainerCallback

from baselines import uniapl
from support import miniature, polar_world, trainers, vllm_rollouts
from support.launch import launched
from support.places import ROOT
from support.two_processes import MIXED, ONE_STEP, scripted
from uniapl.discriminators import polar
from uniapl.method.grpo import GRPO
from uniapl.method.trainer import UniAPLTrainer
from uniapl.models.devices import check_distribution, is_main_process, processes, reduce_in_float32
from uniapl.train.state import last_checkpoint
from uniapl.train.watch import Watch

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
    trainer = build(folder, **{**ONE_STEP, **options})
    check_distribution(trainer.accelerator, sharded="ACCELERATE_USE_FSDP" in os.environ)
    reduce_in_float32(trainer.accelerator)
    return trainers.trained(trainer)[1][0]


# A training that is killed, and goes on ----------------------------------------------------------------


class Killed(TrainerCallback):
    """kill -9 of the second process in the third step, while the first has begun to write a checkpoint."""

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 2:
            if torch.distributed.get_rank() == 0:
                half = Path(args.output_dir) / "checkpoint-3"
                half.mkdir()
                (half / "model.safetensors").write_bytes(b"half")
            torch.distributed.barrier()
            if torch.distributed.get_rank() == 1:
                os.kill(os.getpid(), signal.SIGKILL)


def four_steps(folder: Path, **options):
    return METHODS["uniapl"](folder, **{**ONE_STEP, **SMALL, "max_steps": 4, **options})


def until_killed(folder: Path) -> None:
    """Train until the process group ends."""
    trainer = four_steps(folder, save_strategy="steps", save_steps=2)
    trainer.add_callback(Watch(uniapl, trainer.accelerator))
    trainer.add_callback(Killed())
    trainer.train()


def resumed(folder: Path) -> dict:
    """Weights of a training of four steps, and of the one that was killed, continued; from which checkpoint."""
    whole = four_steps(folder / "whole")
    whole.train()
    continued = four_steps(folder / "killed")
    checkpoint = last_checkpoint(folder / "killed", continued.accelerator)
    continued.train(resume_from_checkpoint=str(checkpoint))
    left = sorted(path.name for path in (folder / "killed").glob("checkpoint-*"))
    weights = [miniature.weights(trainer.model) for trainer in (whole, continued)]
    return {"weights": weights, "from": checkpoint.name, "left": left}


# Processes ----------------------------------------------------------------------------------------------


def measure(folder: Path) -> None:
    """Write what these processes compute to FOLDER/<their number>.pt."""
    count = processes()
    rows = {**SMALL, "per_device_train_batch_size": 4 // count}
    if count > 1:
        take_gloo()
    found = {name: first_step(build, folder, **rows) for name, build in METHODS.items()}
    found["bfloat16"] = first_step(METHODS["uniapl"], folder, bf16=True, **rows)
    found["polar"] = gather_object([polar.load(folder / "polar").sha256()])
    found["resumed"] = resumed(folder / "resumed") if count > 1 else None
    vllm_rollouts.say_where(folder / "start")
    found["colocated"] = vllm_rollouts.colocated(folder / "run", **rows)
    found["served"] = vllm_rollouts.served(folder / "run", **rows)
    found["refusals"] = vllm_rollouts.refusals(folder / "run", **rows) if count == 1 else None
    if is_main_process():
        torch.save(found, folder / f"{count}.pt")


def interrupt(folder: Path) -> None:
    take_gloo()
    until_killed(folder / "resumed/killed")


def main(folder: Path) -> None:
    """One process; two of which the second is killed, which ends the first; two, that go on."""
    miniature.policy().save_pretrained(folder / "start")
    polar_world.write(folder / "polar")
    alone = launched(1, lambda: measure(folder), {})
    first, second = launched(2, lambda: interrupt(folder), environment())
    again = launched(2, lambda: measure(folder), environment())
    print(alone, [first, second], again)
    raise SystemExit(not (first and second == -signal.SIGKILL) or any(alone + again))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
