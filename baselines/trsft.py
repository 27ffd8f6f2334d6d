"""TrSFT as an arm: SFT's settings, and TRAPO's trust region alone (baselines/trsft_trainer.py has the equation)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import sft
from uniapl.config import setting
from uniapl.config.job import Job

if TYPE_CHECKING:
    from trl import SFTTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(sft.Settings):
    alpha: float = setting(0.1, "Su-my/TRAPO 982cb8f, luffy/verl/verl/trapo_src/mix_core_alg.py:236")


def build(job: Job) -> "SFTTrainer":
    """The run's trainer: baselines/sft.py's, with another gradient."""
    from baselines.trsft_trainer import TrSFTTrainer

    return sft.build(job, trainer=TrSFTTrainer, alpha=job.run.settings.alpha)


METRICS = sft.METRICS
most_per_step = sft.most_per_step
