"""Writes the gradient of one step of every method to a file: by one process or by two, it must be the same.

Rollouts are scripted: sampled ones depend on the number of processes. With two processes it also writes what a
discriminator is in each, loaded as FSDP would have it.
"""

import os
import random
from pathlib import Path

import torch
from accelerate.utils import gather_object
from transformers import AutoModelForSequenceClassification

from baselines.hpt_trainer import HPTTrainer
from baselines.luffy_trainer import LUFFYTrainer
from baselines.prefix_rft_trainer import PrefixRFTTrainer
from baselines.rl_plus_trainer import RLPlusTrainer
from baselines.sdft_trainer import SDFT
from baselines.srft_trainer import SRFTTrainer
from baselines.trapo_trainer import TRAPOTrainer
from support import miniature, trainers
from uniapl import UniAPLTrainer
from uniapl.discriminators import pairs
from uniapl.method.grpo import GRPO

ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9, "num_generations": 8}
MIXED = {"mu_peak": 0.4, "mu_valley": 0.4, "lam": 0.5, "lam_step": 0.1, "demonstrations_per_step": 8}
LOGGED = ("loss_", "distance", "lam", "demonstration_", "prefix_tokens", "buffer", "gated")
LOGGED += ("weight_demonstration", "ratio_clipped")


def scripted_ids(first: int, prompt_ids: list, places: list[int] | None = None) -> list[list[int]]:
    """Responses that depend on the prompt and the rollout's place among all processes' alone: from `first` on, or
    `places`."""
    places = places or range(first, first + len(prompt_ids))
    return [
        [random.Random(str((ids, place))).randrange(5, 300) for _ in range(3 + place % 4)]
        for ids, place in zip(prompt_ids, places, strict=True)
    ]


class ScriptedRollouts(GRPO):
    sampled: list[int] = []  # the places of what is sampled, where it is not all of the process's rollouts

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        return scripted_ids(self.accelerator.process_index * len(prompt_ids), prompt_ids, self.sampled), None


def scripted(trainer):
    """The class with scripted rollouts in the place of TRL's."""
    if issubclass(ScriptedRollouts, trainer):
        return ScriptedRollouts
    return type(f"Scripted{trainer.__name__}", (trainer, ScriptedRollouts), {})


class ScriptedSDFT(SDFT):
    """With the rollouts of `scripted`."""

    def _generate(self, prompt_ids):
        return prompt_ids, scripted_ids(self.accelerator.process_index * len(prompt_ids), prompt_ids)


class EverySecond(scripted(UniAPLTrainer)):
    """Learns the demonstrations of every second prompt of the data set."""

    def demonstration_mask(self, inputs):
        return torch.tensor([row["row"] % 2 for row in inputs])


class InParts(scripted(TRAPOTrainer)):
    def sample(self, chosen, *args, **kwargs):
        first = self.accelerator.process_index * len(self._rows)
        self.sampled = [first + i for i in chosen or [0]]
        return super().sample(chosen, *args, **kwargs)


def full_buffer(folder, **options):
    """ReLIFT with three rows in a buffer of four: its first step's unsolved prompt fills it."""
    trainer = trainers.relift(
        folder, trainer=scripted(trainers.WatchedReLIFT), reward=trainers.never, size=4, **options
    )
    trainer.buffer = [0, 1, 2]
    return trainer


IN_FOUR_PARTS = {
    "groups": (3, 2, 2, 1),  # of eight, of which the second process has the last four
    "prefixes": (0.0, 0.2, 0.5, 1.0),
    "thresholds": (-1.0, 0.9, 0.9, 0.9),
}
METHODS = {
    **{
        name: lambda folder, name=name, **o: trainers.METHODS[name](folder, rows=miniature.chats(8), **o)
        for name in trainers.OF_SFT
    },
    "grpo": lambda folder, **options: trainers.own_grpo(folder, trainer=ScriptedRollouts, **options),
    "grpo_reward_shaped": lambda folder, **o: trainers.reward_shaped(folder, trainer=ScriptedRollouts, **o),
    "luffy": lambda folder, **options: trainers.luffy(folder, trainer=scripted(LUFFYTrainer), **options),
    "rl_plus": lambda folder, **options: trainers.rl_plus(folder, trainer=scripted(RLPlusTrainer), **options),
    "srft": lambda folder, **options: trainers.srft(folder, trainer=scripted(SRFTTrainer), **options),
    "adversarial_reward": lambda folder, **o: trainers.adversarial_reward(folder, trainer=scripted(UniAPLTrainer), **o),
    "sdft": lambda folder, **options: trainers.sdft(folder, trainer=ScriptedSDFT, **options),
    "hpt": lambda folder, **options: trainers.hpt(folder, trainer=scripted(HPTTrainer), gate=4, **options),
    "prefix_rft": lambda folder, **options: trainers.prefix_rft(
        folder, trainer=scripted(PrefixRFTTrainer), max_completion_length=40, **options
    ),
    "relift": full_buffer,
    "trapo": lambda folder, **options: trainers.trapo(
        folder, trainer=InParts, parts=IN_FOUR_PARTS, reward=trainers.rarely, max_completion_length=40, **options
    ),
    "uniapl": lambda folder, **o: trainers.uniapl(folder, trainer=scripted(UniAPLTrainer), **MIXED, **o),
    "own prompts": lambda folder, **o: trainers.uniapl(
        folder, trainer=scripted(UniAPLTrainer), **MIXED, own_prompts=True, **o
    ),
    "half of the own prompts": lambda folder, **o: trainers.uniapl(
        folder, trainer=EverySecond, **MIXED, own_prompts=True, **{**o, "gradient_accumulation_steps": 2}
    ),
}


def first_step(build, folder: Path, rows: int) -> dict:
    trainer = build(folder, per_device_train_batch_size=rows, **ONE_STEP)
    _, gradients, _ = trainers.trained(trainer)
    logged = {name: value for name, value in trainer.state.log_history[0].items() if name.startswith(LOGGED)}
    gradient = getattr(trainer, "gradient", gradients[0])  # ReLIFT's is of its second optimizer
    return {"gradient": gradient, "processes": trainer.accelerator.num_processes, "logged": logged}


def discriminators(folder: Path) -> dict:
    """Digest of the discriminator in each process, loaded with `whole_weights` and without, inside a process group."""
    os.environ |= {"ACCELERATE_USE_FSDP": "true", "FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}

    def scorer():
        return AutoModelForSequenceClassification.from_pretrained(folder / "reward", dtype=torch.float32)

    def digest(model) -> str:
        try:
            return pairs.Scorer(model, None).sha256()
        except ValueError:
            return "a head of zeros"

    with pairs.whole_weights():
        whole = digest(scorer())
    return {"sharded": gather_object([whole]), "sharded, without": gather_object([digest(scorer())])}


def main(folder: Path, rows: int) -> None:
    """Write what these processes compute, with so many rows in each, to FOLDER/<their number>.pt."""
    measured = {name: first_step(build, folder, rows) for name, build in METHODS.items()}
    processes = measured["sft"]["processes"]
    reward = folder / "reward"
    if processes == 1:
        miniature.policy().save_pretrained(folder / "policy")
        torch.manual_seed(0)
        pairs.from_policy(folder / "policy", 1).save_pretrained(reward)
    else:
        measured |= discriminators(folder)
    if int(os.environ.get("RANK", "0")) == 0:
        torch.save(measured, folder / f"{processes}.pt")
