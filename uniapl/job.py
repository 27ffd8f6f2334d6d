"""What every trainer builds on: where a run's files are, its policy, its rows and its shared arguments."""

import json
from dataclasses import dataclass
from pathlib import Path

from uniapl.config import Run, setting
from uniapl.errors import UserError
from uniapl.rows import read_jsonl


@dataclass(frozen=True)
class Job:
    """A run and its folders. `start` holds the checkpoint to start from, `state` the resumable one.

    `base` and `discriminator` are None for the arms that come before them: these are trained without a probe.
    """

    run: Run
    data: Path
    start: Path
    state: Path
    base: Path | None = None
    discriminator: Path | None = None


@dataclass(frozen=True)
class Optimization:
    """Settings that every trainer has."""

    steps: int = setting(100, "ours: not stated; equal demonstration rows and rollouts across arms")
    learning_rate: float = setting(1e-3, "ours: not stated; chosen on the validation split")
    warmup: int = setting(10, "ours: steps of linear warm-up; not stated")
    schedule: str = setting("linear", "ours: not stated")
    max_grad_norm: float = setting(1.0, "transformers' default")
    weight_decay: float = setting(0.0, "transformers' default")
    save_every: int = setting(25, "ours: steps between resumable checkpoints; no effect on the result")
    probe_every: int = setting(10, "ours: steps between measurements on validation prompts; no effect on the result")


def arguments(job: Job) -> dict:
    """Keyword arguments of TrainingArguments that all trainers share."""
    s = job.run.settings
    return {
        "output_dir": str(job.state),
        "max_steps": s.steps,
        "learning_rate": s.learning_rate,
        "warmup_steps": s.warmup,
        "lr_scheduler_type": s.schedule,
        "max_grad_norm": s.max_grad_norm,
        "weight_decay": s.weight_decay,
        "seed": job.run.seed,
        "save_steps": s.save_every,
        "save_total_limit": 2,  # the older one stays until the newer one is known to be complete
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # a NaN must be seen
        "report_to": "none",
        "disable_tqdm": True,
        "gradient_checkpointing": False,
        "bf16": False,
        "dataloader_pin_memory": False,
    }


def _checkpoint(folder: Path) -> Path:
    if not (folder / "config.json").exists():
        raise UserError(f"{folder} holds no checkpoint: no config.json; finish the run that writes it first")
    return folder


def load_policy(folder: Path):
    """The causal language model of a checkpoint, float32. Raises UserError where the folder holds none."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(_checkpoint(folder), dtype=torch.float32)


def load_tokenizer(folder: Path):
    """The tokenizer of a checkpoint, with its chat template."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(_checkpoint(folder))


def messages(prompt: str) -> list[dict]:
    """A prompt as the chat that every policy sees."""
    return [{"role": "user", "content": prompt}]


def rollout_rows(path: Path, tokenizer, room: int) -> list[dict]:
    """Rows for GRPO: prompt (chat), instructions (JSON), demonstration. Raises UserError for a prompt that leaves
    less than `room` tokens of the model's context for its response."""
    rows = read_jsonl(path)
    limit = tokenizer.model_max_length - room
    for line, row in enumerate(rows, start=1):
        chat = tokenizer.apply_chat_template(messages(row["prompt"]), add_generation_prompt=True, return_dict=False)
        if len(chat) > limit:
            raise UserError(
                f"{path}:{line}: prompt {row['key']} has {len(chat)} tokens; the model's context of "
                f"{tokenizer.model_max_length} leaves {limit} beside a response of {room}"
            )
    return [
        {
            "prompt": messages(row["prompt"]),
            "instructions": json.dumps([row["instruction_id_list"], row["kwargs"]]),
            "demonstration": row["demonstration"],
        }
        for row in rows
    ]
