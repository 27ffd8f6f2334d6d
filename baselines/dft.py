"""DFT: SFT in which every token weighs as much as the policy expects it (arXiv 2508.05629).

    L = - sum over response tokens of sg(p_t) log p_t / tokens of the step        gradient: - grad p_t / tokens

TRL has it as loss_type="dft". p_t = 1 is SFT's gradient; a token that the policy finds unlikely hardly moves it.
"""

from typing import TYPE_CHECKING

from baselines import sft
from uniapl.config.job import Job

if TYPE_CHECKING:
    from trl import SFTTrainer

Settings, METRICS, most_per_step = sft.Settings, sft.METRICS, sft.most_per_step


def build(job: Job) -> "SFTTrainer":
    """The run's trainer: SFT's with TRL's DFT loss."""
    return sft.build(job, config={"loss_type": "dft"})
