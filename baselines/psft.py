"""PSFT: SFT as clipped policy gradient with advantage 1 (arXiv 2508.17784); baselines/psft_trainer.py has the method.

A step is a mini-batch; `mini_batches` of them are a batch, at whose start pi_old is the policy.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import sft
from uniapl.config import setting
from uniapl.config.job import Job

if TYPE_CHECKING:
    from baselines.psft_trainer import PSFTTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(sft.Settings):
    mini_batches: int = setting(8, "zwhong714/PSFT 569b1ba, verl/recipe/psft/run_psft.sh 29-31: batch 64, mini-batch 8")
    clip: float = setting(0.28, "the same, line 16: clip_ratio_high; with advantage 1 the lower bound never acts")


METRICS = {"ratio_clipped": "share of the step's response tokens whose ratio is above the clip, which do not learn"}


def build(job: Job) -> "PSFTTrainer":
    """A PSFTTrainer for the run."""
    from baselines.psft_trainer import PSFTTrainer

    s = job.run.settings
    return sft.build(job, PSFTTrainer, mini_batches=s.mini_batches, clip=s.clip)


most_per_step = sft.most_per_step
