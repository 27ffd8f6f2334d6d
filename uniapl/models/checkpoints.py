"""What every trainer builds on: where a run's files are, its policy, its rows and its shared arguments."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from uniapl.config import Run, choose, setting
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl

EXPERT = "expert"  # the teacher whose demonstrations are in train.jsonl; teachers.jsonl has the others'


@dataclass(frozen=True)
class Job:
    """A run and its folders. `start` holds the checkpoint to start from, `state` the resumable one.

    `base` and `discriminator` are None for the arms that come before them: these are trained without a probe.
    `polar` and `rollouts` are the URLs of servers that score, and that generate, in the place of this process.
    """

    run: Run
    data: Path
    start: Path
    state: Path
    base: Path | None = None
    discriminator: Path | None = None
    polar: str | None = None
    rollouts: str | None = None


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


@dataclass(frozen=True)
class Teaching:
    """Settings of every trainer that reads the training prompts: whose demonstrations, and of how many prompts."""

    teacher: str = setting(EXPERT, "the scripted expert; experiments/teachers.py asks about others")
    demonstrations: int | None = setting(
        None, "None: all training prompts have one; experiments/demonstrations.py asks how many are needed"
    )


def arguments(job: Job) -> dict:
    """Keyword arguments of TrainingArguments that all trainers share."""
    import torch

    s, compute = job.run.settings, job.run.compute
    return {
        "use_cpu": not torch.cuda.is_available(),
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
        "gradient_checkpointing": compute.gradient_checkpointing,
        "bf16": compute.bf16,
        "dataloader_pin_memory": False,
    }


def processes() -> int:
    """How many processes train this run together: one per device."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leads() -> bool:
    """Whether this process writes for all of them: the first, or the only one."""
    return os.environ.get("RANK", "0") == "0"


def share(rows: int, most: int | None, devices: int | None = None) -> dict:
    """TrainingArguments that make one optimizer step read `rows` rows, whatever the number of processes (`devices`).

    No process reads more than `most` rows at a time (None: no limit); what is left is gradient accumulation. Raises
    UserError where the processes cannot share the rows equally.
    """
    devices = devices or processes()
    own, left = divmod(rows, devices)
    if left or not own:
        raise UserError(
            f"{rows} rows per step cannot be shared equally by {devices} processes: grant a divisor of {rows}"
        )
    most = min(most or own, own)
    passes = next(n for n in range(1, own + 1) if own % n == 0 and own // n <= most)
    return {"per_device_train_batch_size": own // passes, "gradient_accumulation_steps": passes}


def checkpoint(folder: Path) -> Path:
    """The folder, once it holds a checkpoint. Raises UserError."""
    if not (folder / "config.json").exists():
        raise UserError(f"{folder} holds no checkpoint: no config.json; finish the run that writes it first")
    return folder


def load_policy(folder: Path):
    """The causal language model of a checkpoint, float32. Raises UserError where the folder holds none."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(checkpoint(folder), dtype=torch.float32)


def load_tokenizer(folder: Path):
    """The tokenizer of a checkpoint, with its chat template."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkpoint(folder))


def messages(prompt: str) -> list[dict]:
    """A prompt as the chat that every policy sees."""
    return [{"role": "user", "content": prompt}]


def _line_numbers(path: Path) -> list[int]:
    """The line in the file of each row of `read_jsonl`, which passes over blank lines."""
    with open(path, encoding="utf-8") as lines:
        return [number for number, line in enumerate(lines, start=1) if line.strip()]


def _is_text(value) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _teacher_texts(path: Path, teacher: str) -> dict:
    """The teacher's demonstrations in teachers.jsonl, by key."""
    rows = read_jsonl(path)
    choose(f"teacher in {path}", teacher, {EXPERT, *(str(row.get("teacher")) for row in rows)})
    return {row.get("key"): row.get("demonstration") for row in rows if row.get("teacher") == teacher}


def training_rows(job: Job) -> list[dict]:
    """The rows of train.jsonl, with the demonstrations of the run's `teacher` on the first `demonstrations` of them.

    `demonstration` is None on the rows after these. Raises UserError for a row of train.jsonl without demonstration,
    an unknown teacher, a prompt that the teacher has not answered, and a number of demonstrations that there are not.
    """
    s, path, others = job.run.settings, job.data / "train.jsonl", job.data / "teachers.jsonl"
    rows = read_jsonl(path)
    for line, row in zip(_line_numbers(path), rows, strict=True):
        if not _is_text(row.get("demonstration")):
            raise UserError(f"{path}:{line}: prompt {row.get('key')} has no demonstration, or an empty one")
    if s.teacher != EXPERT:
        texts = _teacher_texts(others, s.teacher)
        for row in rows:
            if not _is_text(texts.get(row["key"])):
                raise UserError(f"{others}: teacher {s.teacher!r} has no demonstration of prompt {row['key']}")
        rows = [{**row, "demonstration": texts[row["key"]]} for row in rows]
    if s.demonstrations is None:
        return rows
    if s.demonstrations not in range(1, len(rows) + 1):
        raise UserError(
            f"demonstrations is {s.demonstrations}, and {path} has {len(rows)}: choose from 1 to {len(rows)}"
        )
    return [*rows[: s.demonstrations], *({**row, "demonstration": None} for row in rows[s.demonstrations :])]


def rollout_rows(job: Job, tokenizer) -> list[dict]:
    """Rows for GRPO: prompt (chat), instructions (JSON), demonstration (None where the run may not use it). Raises
    UserError for a prompt that leaves less of the model's context than a response takes, and as `training_rows`."""
    path, room = job.data / "train.jsonl", job.run.settings.max_new_tokens
    rows = training_rows(job)
    limit = tokenizer.model_max_length - room
    chats = [messages(row["prompt"]) for row in rows]
    chats = tokenizer.apply_chat_template(chats, add_generation_prompt=True, return_dict=False)
    for line, row, chat in zip(_line_numbers(path), rows, chats, strict=True):
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
