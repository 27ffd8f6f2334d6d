"""SRFT as an arm: likelihood and reward in every step, weighed by entropy (baselines/srft_trainer.py)."""

from dataclasses import dataclass

from baselines import luffy
from uniapl.config import setting
from uniapl.config.job import Job


@dataclass(frozen=True, kw_only=True)
class Settings(luffy.Settings):
    w_demonstration: float = setting(
        0.5, "SRFT (arXiv 2506.19767), Eq. 8; Unify-Post-Training ae332f5, mix_actor.py 352"
    )
    w_correct: float = setting(
        0.1, "SRFT, its weight of correct rollouts; Unify-Post-Training ae332f5, mix_actor.py 353"
    )
    w_wrong: float = setting(1.0, "Unify-Post-Training ae332f5, mix_core_alg.py 563: -1 for wrong rollouts")
    entropy_sign: int = setting(
        -1,
        "SRFT, Eq. 8 and Unify-Post-Training ae332f5: exp(-H); +1 is exp(+H) of the official code, mix_core_alg.py 162",
    )


METRICS = {"weight_demonstration": "weight of the demonstrations' likelihood, mean over their tokens"}


def build(job: Job):
    """An SRFTTrainer for the run."""
    from baselines.srft_trainer import SRFTTrainer

    names = ("gamma", "w_demonstration", "w_correct", "w_wrong", "entropy_sign")
    return luffy.build_with(job, SRFTTrainer, **{name: getattr(job.run.settings, name) for name in names})


most_per_step = luffy.most_per_step
