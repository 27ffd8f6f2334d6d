"""Dr. GRPO (Liu et al. 2025, arXiv 2503.20783): GRPO without its two normalisations.

The advantage is the reward minus its group's mean, not divided by the standard deviation; the loss is divided by a
constant, not by the tokens of the step. Both are TRL's own options.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.checkers.reward import follows_all
from uniapl.config import StepRows, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from trl import GRPOTrainer

METRICS: dict[str, str] = {}  # beside those that every method may log


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    loss_type: str = setting("dr_grpo", "Liu et al. 2025, Eq. 3: no division by the response's length")


def build(job: Job) -> "GRPOTrainer":
    """The run's trainer: trl.GRPOTrainer with the rewards unscaled, resumable like GRPO's."""
    from trl import GRPOConfig

    from uniapl.method.grpo import GRPO

    tokenizer = load_tokenizer(job.start)
    return GRPO(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        args=GRPOConfig(**grpo.grpo_arguments(job), scale_rewards="none"),
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that every optimizer step consumes: GRPO's."""
    return grpo.most_per_step(settings)
