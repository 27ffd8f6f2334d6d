"""The frozen discriminator of the miniature world, a training of the DAG: trl.RewardTrainer on scripted policies.

loss    - log sigma(score(chosen) - score(rejected)) over triples. uniapl.discriminators.miniature reads it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.common import arguments
from uniapl.config import StepRows, per_scale, setting
from uniapl.config.job import Job, Optimization
from uniapl.discriminators.miniature import Encoder
from uniapl.models.checkpoints import load_tokenizer

if TYPE_CHECKING:
    from trl import RewardTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(Optimization):
    layers: int = setting(2, "ours: two layers of the policy's width")
    pairs_per_step: int = per_scale("ours: enough for a held-out accuracy well above chance without saturation")
    response_tokens: int = per_scale("ours: POLAR keeps 4096; here the longest rollout and a margin")
    weight_decay: float = setting(0.01, "ours: the family of scripted policies is small")


METRICS: dict[str, str] = {}  # beside those that every method may log


def build(job: Job) -> "RewardTrainer":
    """A trl.RewardTrainer, resumable, on the scripted policies' triples; held-out triples are its evaluation set."""
    import torch
    from trl import RewardConfig

    from baselines.reward_trainer import PairTrainer
    from uniapl.discriminators.pairs import from_policy

    s = job.run.settings
    tokenizer = load_tokenizer(job.start)
    torch.manual_seed(job.run.seed)
    return PairTrainer(
        job.data / "comparisons.jsonl",
        Encoder(tokenizer, s.response_tokens),
        model=from_policy(job.start, s.layers, response_tokens=s.response_tokens),
        args=RewardConfig(**arguments(job), per_device_train_batch_size=s.pairs_per_step, max_length=None),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """None of the policy's rows."""
    return StepRows()
