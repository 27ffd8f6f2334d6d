"""ReLIFT as an arm (arXiv 2506.07527): GRPO's settings, and SFT on the prompts that it cannot solve; the method itself
is in baselines/relift_trainer.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import StepRows, per_scale, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from baselines.relift_trainer import ReLIFTTrainer

CODE = "TheRoadQaQ/ReLIFT eb95454, examples/math-7b/train.sh"


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    group: int = setting(8, f"{CODE}:54")
    loss_type: str = setting("dr_grpo", f"{CODE}:71: sum / longest response; the std is left out, too (70)")
    max_grad_norm: float = setting(0.7, f"{CODE}:32")
    buffer: int = per_scale(f"{CODE}:18-19 has 128, one step of SFT, beside 128 prompts per step")
    sft_learning_rate: float = per_scale(f"{CODE}:22 has 1e-6, that of its GRPO")
    sft_max_grad_norm: float = setting(1.0, "relift/verl/verl/relift/config/relift_trainer.yaml:74, which it leaves")
    entropy_weight: float = setting(0.001, f"{CODE}:21")


METRICS = {
    "buffer": "unsolved prompts that wait to be learned from their demonstrations",
    "loss_demonstration": "negative log-likelihood of the step's demonstrations, per token",
}


def build(job: Job) -> "ReLIFTTrainer":
    """A ReLIFTTrainer for the run."""
    from trl import GRPOConfig

    from baselines.relift_trainer import ReLIFTTrainer
    from uniapl.checkers.reward import follows_all
    from uniapl.method.engine.arms import engine_trainer

    tokenizer, s = load_tokenizer(job.start), job.run.settings
    return engine_trainer(ReLIFTTrainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        args=GRPOConfig(**grpo.grpo_arguments(job), scale_rewards="none"),
        size=s.buffer,
        sft_learning_rate=s.sft_learning_rate,
        sft_max_grad_norm=s.sft_max_grad_norm,
        entropy_weight=s.entropy_weight,
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that an optimizer step consumes at most: every rollout, and a full buffer."""
    return grpo.most_per_step(settings)._replace(demonstration_rows=settings.buffer)
