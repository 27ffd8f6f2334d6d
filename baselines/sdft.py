"""SDFT: the policy learns from itself with the demonstration in its prompt (arXiv 2601.19897), by TRL's trainer.

    y ~ pi(. | x);   L = mean over rollouts of the mean over tokens of D(pi(. | x, y<t) || pi_teacher(. | x, y*, y<t))
    D: Jensen-Shannon divergence of weight `alpha` over the student's `top` likeliest tokens, renormalised

No reward enters it. The teacher reads the prompt, an empty line and the demonstration; it is the start ("base"), the
policy itself ("live") or its running mean ("ema"). Which is the paper's is told in two ways (docs/methods.md).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from baselines.common import arguments
from uniapl.config import StepRows, choose, per_scale, setting
from uniapl.config.job import Job, Optimization, Teaching
from uniapl.errors import UserError
from uniapl.models.checkpoints import load_policy, load_tokenizer
from uniapl.models.devices import batch_sizes

if TYPE_CHECKING:
    from baselines.sdft_trainer import SDFT

KINDS = ("base", "live", "ema")


@dataclass(frozen=True, kw_only=True)
class Settings(Teaching, Optimization):
    prompts_per_step: int = per_scale("ours: not stated")
    group: int = setting(8, "TRL's SDFTConfig; as many rollouts as GRPO's")
    max_new_tokens: int = per_scale("ours: response tokens; the miniature's expert writes 47 at most")
    distilled_from: str = setting("base", "TRL's SDFTConfig: teacher_model_kind")
    alpha: float = setting(0.5, "TRL's SDFTConfig: distillation_alpha; 0 is the forward, 1 the reverse KL divergence")
    top: int = setting(100, "TRL's SDFTConfig: distillation_topk")


METRICS = {
    "distillation_loss": "divergence of the policy from the teacher that reads the demonstration, per token",
    "teacher_tokens": "tokens that the teacher read in the step",
}


def build(job: Job) -> "SDFT":
    """The run's trainer. Raises UserError for an unknown teacher, and for rollouts from vLLM."""
    from trl.experimental.sdft import SDFTConfig

    from baselines.sdft_trainer import SDFT

    s, compute = job.run.settings, job.run.compute
    choose("distilled_from", s.distilled_from, KINDS)
    if compute.rollouts == "vllm":
        raise UserError(f"arm {job.run.arm}: SDFT samples in its own process alone: leave `rollouts` of the scale out")
    tokenizer = load_tokenizer(job.start)
    args = SDFTConfig(
        **arguments(job),
        **batch_sizes(s.prompts_per_step * s.group, compute.rows_per_device),
        num_generations=s.group,
        max_prompt_length=None,
        max_completion_length=s.max_new_tokens,
        distillation_alpha=s.alpha,
        distillation_topk=s.top,
        teacher_model_kind=s.distilled_from,
    )
    rows = grpo.dataset(job, tokenizer)
    return SDFT(model=load_policy(job.start), args=args, train_dataset=rows, processing_class=tokenizer)


def most_per_step(settings: Settings) -> StepRows:
    """Rows that every optimizer step consumes: a demonstration stands in the prompts of its group."""
    return StepRows(settings.prompts_per_step, settings.prompts_per_step * settings.group)
