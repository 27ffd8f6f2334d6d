"""GRPO whose reward is the share of a prompt's instructions that a response follows, strictly.

The suite's reward is 1 where all of them are followed, else 0. A group whose rollouts all fail one of five instructions
teaches nothing under it, and something under the share. Published training on these very prompts pays the share.
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
    fraction: float = setting(
        1.0, "allenai/open-instruct, IFEvalVerifier: the mean over a prompt's instructions; 0 is GRPO, bit for bit"
    )


def build(job: Job) -> "GRPOTrainer":
    """The run's trainer: trl.GRPOTrainer on fraction x share + (1 - fraction) x [all followed].

    `reward` of the history stays the share of rollouts that follow all, as that of every other arm.
    """
    from uniapl.checkers.reward import follows_all
    from uniapl.scorers import fraction

    weight = job.run.settings.fraction
    return grpo.trainer(job, [follows_all, fraction], reward_weights=[1.0 - weight, weight])


METRICS = grpo.METRICS
most_per_step = grpo.most_per_step
