"""What the methods share: the arguments of their trainers and the rows that they read."""

import json
from pathlib import Path

from uniapl.config import choose
from uniapl.config.job import EXPERT, Job
from uniapl.config.method import scored_by
from uniapl.errors import UserError
from uniapl.jsonl import each_row, is_text, read_jsonl
from uniapl.models.checkpoints import load_tokenizer, messages
from uniapl.models.precision import in_bfloat16


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
        "bf16": in_bfloat16(compute),
        "dataloader_pin_memory": False,
    }


def _line_numbers(path: Path) -> list[int]:
    """The line in the file of each row of `read_jsonl`, which passes over blank lines."""
    with open(path, encoding="utf-8") as lines:
        return [number for number, line in enumerate(lines, start=1) if line.strip()]


def _teacher_texts(path: Path, teacher: str) -> dict:
    """The teacher's demonstrations in teachers.jsonl, by key."""
    rows = read_jsonl(path)
    choose(f"teacher in {path}", teacher, {EXPERT, *(str(row.get("teacher")) for row in rows)})
    return {row.get("key"): row.get("demonstration") for row in rows if row.get("teacher") == teacher}


def _without_demonstrations(job: Job, rows: list[dict]) -> list[dict]:
    """The rows of a world that has no demonstrations. Raises UserError for a run that asks for some."""
    s, method = job.run.settings, job.run.method
    learned, scored = method.most_per_step(s).demonstration_rows > 0, scored_by(s) is not None
    if learned or scored or s.teacher != EXPERT or s.demonstrations is not None:
        path = job.data / "train.jsonl"
        raise UserError(
            f"{path}: no row has a demonstration, and arm {job.run.arm} reads them: add `demonstration` "
            "to every row, or choose a method of rollouts alone"
        )
    return [{**row, "demonstration": None} for row in rows]


def _check_thinking(job: Job, path: Path, rows: list[dict]) -> None:
    """Raise UserError for a demonstration with a closing tag that the chat template takes for the end of a thinking
    section: what stands before it would be moved or left out, and the prompt changed."""
    from uniapl.checkers.thinking import CLOSING

    tagged = [row for row in rows if CLOSING in row["demonstration"]]
    tokenizer = load_tokenizer(job.start) if tagged else None
    for row in tagged:
        chat = messages(row["prompt"])
        prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        chat.append({"role": "assistant", "content": row["demonstration"]})
        whole = tokenizer.apply_chat_template(chat, tokenize=False)
        if not whole.startswith(prompt) or row["demonstration"].strip() not in whole.removeprefix(prompt):
            raise UserError(
                f"{path}: key {row['key']}: the chat template of {job.start} reads {CLOSING} in the demonstration as "
                "the end of a thinking section: remove the section, or the tag"
            )


def training_rows(job: Job) -> list[dict]:
    """The rows of train.jsonl, with the demonstrations of the run's `teacher` on the first `demonstrations` of them.

    `demonstration` is None on the rows after these, and on every row in a world without demonstrations. Raises
    UserError for a row without one where others have one, a run that reads demonstrations where there are none, an
    unknown teacher, a prompt that the teacher has not answered, a demonstration that the chat template would change,
    and a number of demonstrations that there are not.
    """
    s, path, others = job.run.settings, job.data / "train.jsonl", job.data / "teachers.jsonl"
    rows = read_jsonl(path, ("key", "prompt"))
    if not any("demonstration" in row for row in rows):
        return _without_demonstrations(job, rows)
    for line, row in zip(_line_numbers(path), rows, strict=True):
        if not is_text(row.get("demonstration")):
            raise UserError(f"{path}:{line}: prompt {row.get('key')} has no demonstration, or an empty one")
    if s.teacher != EXPERT:
        texts = _teacher_texts(others, s.teacher)
        for row in rows:
            if not is_text(texts.get(row["key"])):
                raise UserError(f"{others}: teacher {s.teacher!r} has no demonstration of prompt {row['key']}")
        rows = [{**row, "demonstration": texts[row["key"]]} for row in rows]
    _check_thinking(job, path if s.teacher == EXPERT else others, rows)
    if s.demonstrations is None:
        return rows
    if s.demonstrations not in range(1, len(rows) + 1):
        raise UserError(
            f"demonstrations is {s.demonstrations}, and {path} has {len(rows)}: choose from 1 to {len(rows)}"
        )
    return [*rows[: s.demonstrations], *({**row, "demonstration": None} for row in rows[s.demonstrations :])]


def rollout_rows(job: Job, tokenizer) -> list[dict]:
    """Rows for GRPO: prompt (chat), instructions (JSON), demonstration (None where the run may not use it). Raises
    UserError as `training_rows` and `_for_rollouts`."""
    return _for_rollouts(job, tokenizer, job.data / "train.jsonl", training_rows(job))


def unsolved_rows(job: Job, tokenizer, most: int | None) -> list[dict]:
    """Rows for GRPO, without demonstration, of the prompts that the teacher was asked and did not solve: the first
    `most` of them, None for all.

    Raises UserError where the world has no such file, where there are fewer, and as `_for_rollouts`.
    """
    path = job.data / "unsolved.jsonl"
    if most == 0:
        return []
    if not path.is_file():
        raise UserError(f"{path}: not there, and arm {job.run.arm} trains on it: only the data of public scales has it")
    rows = list(each_row(path)) if path.stat().st_size else []  # a teacher may solve everything
    if most is not None and most > len(rows):
        raise UserError(f"unsolved is {most}, and {path} has {len(rows)}: choose from 0 to {len(rows)}")
    return _for_rollouts(job, tokenizer, path, [{**row, "demonstration": None} for row in rows[:most]])


def _for_rollouts(job: Job, tokenizer, path: Path, rows: list[dict]) -> list[dict]:
    """The rows of a file in the form of `rollout_rows`. Raises UserError for a prompt that leaves less of the model's
    context than a response takes, and for instructions that the reward could not read."""
    from uniapl import checkers

    room = job.run.settings.max_new_tokens
    limit = tokenizer.model_max_length - room
    chats = [messages(row["prompt"]) for row in rows]
    chats = tokenizer.apply_chat_template(chats, add_generation_prompt=True, return_dict=False) if chats else []
    for line, row, chat in zip(_line_numbers(path)[: len(rows)], rows, chats, strict=True):
        checkers.build_row(row, where=f"{path}:{line}: key {row['key']}")
        if len(chat) > limit:
            raise UserError(
                f"{path}:{line}: prompt {row['key']} has {len(chat)} tokens; the model's context of "
                f"{tokenizer.model_max_length} leaves {limit} beside a response of {room}"
            )
    return [
        {
            "prompt": messages(row["prompt"]),
            "instructions": json.dumps(checkers.read_instructions(row, f"key {row['key']}")),
            "demonstration": row["demonstration"],
        }
        for row in rows
    ]
