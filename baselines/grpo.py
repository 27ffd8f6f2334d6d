"""GRPO: trl.GRPOTrainer with the binary verifiable reward, resumable (uniapl/method/grpo.py)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.common import arguments, rollout_rows, unsolved_rows
from uniapl.config import StepRows, per_scale, setting
from uniapl.config.job import Job, Optimization, Teaching
from uniapl.models.checkpoints import load_policy, load_tokenizer
from uniapl.models.devices import batch_sizes

if TYPE_CHECKING:
    from trl import GRPOTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(Teaching, Optimization):
    prompts_per_step: int = per_scale("ours: not stated")
    group: int = setting(8, "CHORD and LUFFY: 8 rollouts per prompt")
    max_new_tokens: int = per_scale("ours: response tokens; the miniature's expert writes 47 at most")
    loss_type: str = setting("dapo", "TRL's default: token mean over the step")
    sampler_correction: str = setting(
        "token_truncate",
        "Yao et al. 2025 (TIS), verl's rollout_is=token; TRL's default drops whole responses; acts on vLLM's rollouts",
    )
    sampler_clip: float = setting(2.0, "verl's rollout_is_threshold and ms-swift's default: no token weighs more")


METRICS: dict[str, str] = {}  # beside those that every method may log


def grpo_arguments(job: Job) -> dict:
    """Keyword arguments of GRPOConfig, shared with UniAPL: on-policy, no KL, temperature 1."""
    s, compute = job.run.settings, job.run.compute
    return {
        **arguments(job),
        **batch_sizes(s.prompts_per_step * s.group, compute.rows_per_device),
        **rollouts(job),
        "num_generations": s.group,
        "max_completion_length": s.max_new_tokens,
        "loss_type": s.loss_type,
        "beta": 0.0,
        "temperature": 1.0,
        "disable_dropout": True,
        "shuffle_dataset": True,
    }


def rollouts(job: Job) -> dict:
    """Keyword arguments of GRPOConfig that say who generates: this process, vLLM within it, or vLLM's server.

    vLLM's probabilities differ from the policy's; each token's loss is multiplied by their ratio, up to `sampler_clip`.
    """
    s, compute = job.run.settings, job.run.compute
    if compute.rollouts != "vllm":
        return {}
    shared = {
        "use_vllm": True,
        "vllm_max_model_length": load_tokenizer(job.start).model_max_length,
        "vllm_importance_sampling_correction": True,
        "vllm_importance_sampling_mode": s.sampler_correction,
        "vllm_importance_sampling_clip_max": s.sampler_clip,
    }
    if job.rollouts:
        return shared | {"vllm_mode": "server", "vllm_server_base_url": job.rollouts}
    return shared | {"vllm_mode": "colocate", "vllm_gpu_memory_utilization": compute.vllm_memory}


def dataset(job: Job, tokenizer):
    """The training prompts with their instructions and demonstrations, as a datasets.Dataset."""
    from datasets import Dataset

    return Dataset.from_list(rollout_rows(job, tokenizer))


def trainer(job: Job, rewards: list, *, unsolved: int | None = 0, **arguments) -> "GRPOTrainer":
    """trl.GRPOTrainer, resumable, with these reward functions; `arguments` of GRPOConfig beside those that all share.

    `unsolved`: how many prompts without an accepted demonstration join the training prompts; None: all there are.
    """
    from datasets import Dataset, concatenate_datasets
    from trl import GRPOConfig

    from uniapl.method.engine.arms import engine_trainer
    from uniapl.method.grpo import GRPO

    tokenizer = load_tokenizer(job.start)
    rows = dataset(job, tokenizer)
    if more := unsolved_rows(job, tokenizer, unsolved):
        rows = concatenate_datasets([rows, Dataset.from_list(more, features=rows.features)])
    return engine_trainer(GRPO, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=rewards,
        args=GRPOConfig(**grpo_arguments(job), **arguments),
        train_dataset=rows,
        processing_class=tokenizer,
    )


def build(job: Job) -> "GRPOTrainer":
    """The run's trainer: trl.GRPOTrainer, bit for bit."""
    from uniapl.checkers.reward import follows_all

    return trainer(job, [follows_all])


def most_per_step(settings: Settings) -> StepRows:
    """Rows that every optimizer step consumes."""
    return StepRows(rollouts=settings.prompts_per_step * settings.group)
