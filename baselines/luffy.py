"""LUFFY as an arm: GRPO's settings with the expert in every group (baselines/luffy_trainer.py has the method)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import StepRows, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from baselines.luffy_trainer import LUFFYTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    group: int = setting(7, "LUFFY's train.sh: 7 rollouts and 1 expert response")
    loss_type: str = setting("dr_grpo", "LUFFY's loss_remove_token_mean: sum / longest response")
    gamma: float = setting(0.1, "LUFFY's train.sh: off_policy_reshape p_div_p_0.1")


METRICS: dict[str, str] = {}  # beside those that every method may log


def build(job: Job) -> "LUFFYTrainer":
    """A LUFFYTrainer for the run."""
    from trl import GRPOConfig

    from baselines.luffy_trainer import LUFFYTrainer
    from uniapl.checkers.reward import follows_all
    from uniapl.method.engine.arms import engine_trainer

    tokenizer = load_tokenizer(job.start)
    return engine_trainer(LUFFYTrainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        args=GRPOConfig(**grpo.grpo_arguments(job), scale_rewards="none"),
        gamma=job.run.settings.gamma,
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that every optimizer step consumes: one demonstration beside each group."""
    return grpo.most_per_step(settings)._replace(demonstration_rows=settings.prompts_per_step)
