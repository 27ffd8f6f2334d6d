"""HPT as an arm (arXiv 2509.04419): GRPO's settings, and a gate that chooses each prompt's loss; the method itself is
in baselines/hpt_trainer.py. With gate 0 it is SuperRL (arXiv 2506.01096)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import StepRows, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from baselines.hpt_trainer import HPTTrainer

CODE = "TsinghuaC3I/Unify-Post-Training ae332f5, exp_scripts/train.sh"


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    group: int = setting(8, f"{CODE}:71")
    loss_type: str = setting("dr_grpo", f"{CODE}:108: sum / longest response; the std is left out, too (107)")
    gate: int = setting(0, f"{CODE}:25; 2 for Llama; 0 is SuperRL's")
    sft_weight: float = setting(1.0, f"{CODE}:28; 0.3 for Qwen2.5-Math-1.5B")


METRICS = {
    "gated": "share of the step's prompts that are learned from their demonstration, not from rollouts",
    "loss_demonstration": "negative log-likelihood of the step's demonstrations, per token",
}


def build(job: Job) -> "HPTTrainer":
    """An HPTTrainer for the run."""
    from trl import GRPOConfig

    from baselines.hpt_trainer import HPTTrainer
    from uniapl.checkers.reward import follows_all
    from uniapl.method.engine.arms import engine_trainer

    tokenizer, s = load_tokenizer(job.start), job.run.settings
    return engine_trainer(HPTTrainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        args=GRPOConfig(**grpo.grpo_arguments(job), scale_rewards="none"),
        gate=s.gate,
        sft_weight=s.sft_weight,
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that an optimizer step consumes at most: every rollout, and a demonstration of each prompt."""
    rows = settings.prompts_per_step if settings.gate >= 0 else 0
    return grpo.most_per_step(settings)._replace(demonstration_rows=rows)
