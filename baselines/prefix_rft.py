"""Prefix-RFT as an arm (arXiv 2507.01679v3): GRPO's settings, and how much of a demonstration a group's last rollout
continues; the method itself is in baselines/prefix_rft_trainer.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import StepRows, per_scale, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from baselines.prefix_rft_trainer import PrefixRFTTrainer

CODE = "ZeroYuHuang/prefix_rft 5f5d2a1 ships no value"


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    loss_type: str = setting("dr_grpo", f"paper: Dr. GRPO's update, without std; {CODE}")
    prefix_high: float = setting(0.95, f"paper: prefixes of up to 95 %; {CODE}")
    prefix_low_end: float = setting(0.05, f"paper: the lower bound falls from 95 % to 5 %; {CODE}")
    prefix_decay: int = per_scale("paper: a cosine over the run")
    top_entropy: float = setting(0.2, f"paper: the 20 % of prefix tokens with most entropy; {CODE}")


METRICS = {
    "prefix_low": "lower bound of the share of a demonstration that a rollout continues",
    "prefix_tokens": "tokens of demonstrations at the beginning of the step's rollouts",
}


def build(job: Job) -> "PrefixRFTTrainer":
    """A PrefixRFTTrainer for the run."""
    from trl import GRPOConfig

    from baselines.prefix_rft_trainer import PrefixRFTTrainer
    from uniapl.checkers.reward import follows_all
    from uniapl.method.engine.arms import engine_trainer

    tokenizer, s = load_tokenizer(job.start), job.run.settings
    return engine_trainer(PrefixRFTTrainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        args=GRPOConfig(**grpo.grpo_arguments(job), scale_rewards="none"),
        high=s.prefix_high,
        low_end=s.prefix_low_end,
        decay=s.prefix_decay,
        top_entropy=s.top_entropy,
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that an optimizer step consumes: every rollout, and a demonstration, in part, of each prompt."""
    rows = settings.prompts_per_step if settings.prefix_high > 0 else 0
    return grpo.most_per_step(settings)._replace(demonstration_rows=rows)
