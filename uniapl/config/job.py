"""A run and its folders, and the settings that every method of a kind has."""

from dataclasses import dataclass
from pathlib import Path

from uniapl.config import Run, per_scale, setting

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


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """Settings that every method has that trains."""

    steps: int = per_scale("ours: not stated; equal demonstration rows and rollouts across arms")
    learning_rate: float = per_scale("ours: not stated; chosen on the validation split")
    warmup: int = per_scale("ours: steps of linear warm-up; not stated")
    schedule: str = setting("linear", "ours: not stated")
    max_grad_norm: float = setting(1.0, "transformers' default")
    weight_decay: float = setting(0.0, "transformers' default")
    save_every: int = setting(25, "ours: steps between resumable checkpoints; no effect on the result")
    probe_every: int = setting(10, "ours: steps between measurements on validation prompts; no effect on the result")


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """Settings of every method that reads the training prompts: whose demonstrations, and of how many prompts."""

    teacher: str = setting(EXPERT, "the scripted expert; experiments/teachers.py asks about others")
    demonstrations: int | None = setting(
        None, "None: all training prompts have one; experiments/demonstrations.py asks how many are needed"
    )
