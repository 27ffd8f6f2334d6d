"""Writes the gradient of one UniAPL step to a file: run by one process or by torchrun, it must be the same.

`python tests/support/two_processes.py FOLDER ROWS_PER_PROCESS own_prompts|stream`. Rollouts are scripted, because
sampled ones depend on the number of processes.
"""

import random
import sys
from pathlib import Path

import torch
from datasets import Dataset
from transformers import TrainerCallback

from support import miniature
from uniapl import UniAPLConfig, UniAPLTrainer


class Scripted(UniAPLTrainer):
    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        first = self.accelerator.process_index * len(prompt_ids)
        ids = [
            [random.Random(str((ids, first + i))).randrange(5, 300) for _ in range(3 + (first + i) % 4)]
            for i, ids in enumerate(prompt_ids)
        ]
        return ids, None


class Keep(TrainerCallback):
    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        self.gradient = torch.cat([p.grad.flatten().clone() for p in model.parameters()])


def main(folder: Path, rows: int, own_prompts: bool) -> None:
    keep = Keep()
    trainer = Scripted(
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        discriminator=miniature.Scorer(miniature.nearness),
        args=UniAPLConfig(
            output_dir=str(folder),
            per_device_train_batch_size=rows,
            num_generations=8,
            max_completion_length=12,
            max_steps=1,
            max_grad_norm=1e9,
            report_to="none",
            save_strategy="no",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            mu_peak=0.4,
            mu_valley=0.4,
            lam=0.5,
            lam_step=0.1,
            own_prompts=own_prompts,
            demonstrations_per_step=8,
        ),
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
        callbacks=[keep],
    )
    trainer.train()
    processes = trainer.accelerator.num_processes
    if trainer.accelerator.is_main_process:
        logged = {k: v for k, v in trainer.state.log_history[0].items() if k.startswith(("loss_", "distance", "lam"))}
        torch.save({"gradient": keep.gradient, "processes": processes, "logged": logged}, folder / f"{processes}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "own_prompts")
