"""GRPO that also trains on the prompts that the teacher did not solve.

The suite's arms train on prompts with an accepted demonstration: one set for all, and easier than what was asked. A
method of rollouts alone needs no demonstration, so nothing but this choice keeps the others from it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import setting
from uniapl.config.job import Job

if TYPE_CHECKING:
    from trl import GRPOTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    unsolved: int | None = setting(
        None, "ours: how many of these prompts, the first of unsolved.jsonl; None: all; 0 is GRPO, bit for bit"
    )


def build(job: Job) -> "GRPOTrainer":
    """The run's trainer: that of baselines/grpo.py on more prompts."""
    from uniapl.checkers.reward import follows_all

    return grpo.trainer(job, [follows_all], unsolved=job.run.settings.unsolved)


METRICS = grpo.METRICS
most_per_step = grpo.most_per_step
