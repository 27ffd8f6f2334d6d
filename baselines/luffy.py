"""LUFFY as an arm: GRPO's settings with the expert in every group (baselines/luffy_trainer.py has the method)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import StepRows, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from baselines.luffy_trainer import ExpertInGroup

SCRIPTS = "LUFFY's train.sh, RL-PLUS's train_RL-PLUS.sh and HPT's train_srft.sh"


@dataclass(frozen=True, kw_only=True)
class InGroup(grpo.Settings):
    """Settings of every method with the expert as a member of the group."""

    group: int = setting(7, f"{SCRIPTS}: 7 rollouts and 1 expert response")
    loss_type: str = setting("dr_grpo", "LUFFY's loss_remove_token_mean: sum / longest response")


@dataclass(frozen=True, kw_only=True)
class Settings(InGroup):
    gamma: float = setting(0.1, "LUFFY's train.sh: off_policy_reshape p_div_p_0.1")


METRICS: dict[str, str] = {}  # beside those that every method may log


def build_with(job: Job, trainer: type["ExpertInGroup"], **options) -> "ExpertInGroup":
    """The run's trainer of this class, with its own options."""
    from trl import GRPOConfig

    from uniapl.checkers.reward import follows_all
    from uniapl.method.engine.arms import engine_trainer

    tokenizer = load_tokenizer(job.start)
    return engine_trainer(trainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        args=GRPOConfig(**grpo.grpo_arguments(job), scale_rewards="none"),
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
        **options,
    )


def build(job: Job) -> "ExpertInGroup":
    """A LUFFYTrainer for the run."""
    from baselines.luffy_trainer import LUFFYTrainer

    return build_with(job, LUFFYTrainer, gamma=job.run.settings.gamma)


def most_per_step(settings: Settings) -> StepRows:
    """Rows that every optimizer step consumes: one demonstration beside each group."""
    return grpo.most_per_step(settings)._replace(demonstration_rows=settings.prompts_per_step)
