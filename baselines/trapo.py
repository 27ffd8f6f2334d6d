"""TRAPO as an arm (arXiv 2512.17636): GRPO's settings, and how the parts of a group are guided; the method itself is in
baselines/trapo_trainer.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import StepRows, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from baselines.trapo_trainer import TRAPOTrainer

CODE = "Su-my/TRAPO 982cb8f, luffy/verl/verl/trapo_src"


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    group: int = setting(8, "the sum of groups")
    loss_type: str = setting("dr_grpo", "train_trapo.sh:76: sum / longest response; the std is left out, too (75)")
    groups: tuple[int, ...] = setting((4, 2, 1, 1), f"paper; {CODE}/mix_trainer.py:455, 477, 495, 513")
    prefixes: tuple[float, ...] = setting((0.0, 0.2, 0.5, 1.0), f"paper; {CODE}/mix_vllm_rollout.py:206 has .25")
    thresholds: tuple[float, ...] = setting((-1.0, 0.5, 0.7, 0.9), f"paper; {CODE}/mix_trainer.py:471-507 has sums")
    alpha: float = setting(0.1, f"paper; {CODE}/mix_core_alg.py:236")


METRICS = {"prefix_tokens": "tokens of demonstrations at the beginning of the step's rollouts"}


def build(job: Job) -> "TRAPOTrainer":
    """A TRAPOTrainer for the run."""
    from trl import GRPOConfig

    from baselines.trapo_trainer import TRAPOTrainer
    from uniapl.checkers.reward import follows_all
    from uniapl.method.engine.arms import engine_trainer

    tokenizer, s = load_tokenizer(job.start), job.run.settings
    return engine_trainer(TRAPOTrainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        args=GRPOConfig(**grpo.grpo_arguments(job), scale_rewards="none"),
        groups=s.groups,
        prefixes=s.prefixes,
        thresholds=s.thresholds,
        alpha=s.alpha,
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that an optimizer step consumes at most: every rollout, and a demonstration in each part but the first."""
    rows = settings.prompts_per_step * (len(settings.groups) - 1)
    return grpo.most_per_step(settings)._replace(demonstration_rows=rows)
