"""The frozen discriminator on the policy's own first layers, a training of the DAG: trl.RewardTrainer on triples.

loss    - log sigma(score(chosen) - score(rejected)). uniapl.discriminators.layers reads the checkpoint; the
triples are comparisons.jsonl of the stage data (uniapl/data/everyday/comparisons.py).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.common import arguments
from uniapl.config import StepRows, per_scale, setting
from uniapl.config.job import Job, Optimization
from uniapl.discriminators import layers
from uniapl.models.checkpoints import load_tokenizer
from uniapl.models.devices import batch_sizes

if TYPE_CHECKING:
    from trl import RewardTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(Optimization):
    layers: int = setting(6, "ours: a fifth of SmolLM2-135M's; `python -m benchmarks.layers` says what others cost")
    pairs_per_step: int = per_scale("ours: triples of an optimizer step")
    response_tokens: int = per_scale("ours: POLAR keeps 4096; here the longest rollout")
    weight_decay: float = setting(0.01, "ours: as the miniature's")


ROWS = 8  # at a time, unless the scale says: more of them take memory, and pad more; no effect on the result
METRICS: dict[str, str] = {}  # beside those that every method may log


def build(job: Job) -> "RewardTrainer":
    """A trl.RewardTrainer, resumable, on the base's triples; held-out triples are its evaluation set.

    Raises UserError as `layers.from_start` and `layers.encoder`.
    """
    import torch
    from trl import RewardConfig

    from baselines.reward_trainer import PairTrainer

    s, most = job.run.settings, job.run.compute.rows_per_device or ROWS
    tokenizer = load_tokenizer(job.start)
    torch.manual_seed(job.run.seed)
    rows = batch_sizes(s.pairs_per_step, max(1, most // 2))  # a pair is two rows
    return PairTrainer(
        job.data / "comparisons.jsonl",
        layers.encoder(tokenizer, s.response_tokens),
        model=layers.from_start(job.start, s.layers, s.response_tokens),
        args=RewardConfig(
            **arguments(job), **rows, per_device_eval_batch_size=rows["per_device_train_batch_size"], max_length=None
        ),
        processing_class=tokenizer,
    )


def most_per_step(settings: Settings) -> StepRows:
    """None of the policy's rows."""
    return StepRows()
