"""The frozen discriminator of the miniature world, a training of the DAG: trl.RewardTrainer on scripted policies.

loss    - log sigma(score(chosen) - score(rejected)) over triples. uniapl.discriminators.miniature reads it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.common import arguments
from uniapl.config import StepRows, per_scale, setting
from uniapl.config.job import Job, Optimization
from uniapl.discriminators.miniature import Encoder
from uniapl.jsonl import read_jsonl
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
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    from uniapl.discriminators.pairs import from_policy
    from uniapl.method.resume import Resumable

    class Trainer(Resumable, RewardTrainer):
        """trl.RewardTrainer, resumable."""

    s = job.run.settings
    tokenizer = load_tokenizer(job.start)
    encoder = Encoder(tokenizer, s.response_tokens)
    triples = read_jsonl(job.data / "comparisons.jsonl", ("split", "prompt", "reference", "chosen", "rejected"))

    def pairs(split: str) -> Dataset:
        rows = [row for row in triples if row["split"] == split]
        prompts, references = [r["prompt"] for r in rows], [r["reference"] for r in rows]
        sides = {
            f"{side}_ids": [[*row.prefix, *row.rest] for row in encoder(prompts, references, [r[side] for r in rows])]
            for side in ("chosen", "rejected")
        }
        return Dataset.from_dict(sides)

    torch.manual_seed(job.run.seed)
    return Trainer(
        model=from_policy(job.start, s.layers, response_tokens=s.response_tokens),
        args=RewardConfig(**arguments(job), per_device_train_batch_size=s.pairs_per_step, max_length=None),
        train_dataset=pairs("train"),
        eval_dataset=pairs("heldout"),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """None of the policy's rows."""
    return StepRows()
