"""RL-PLUS as an arm: LUFFY's groups with another weight on the expert's tokens (baselines/rl_plus_trainer.py)."""

from baselines import luffy
from uniapl.config.job import Job

Settings, METRICS, most_per_step = luffy.InGroup, luffy.METRICS, luffy.most_per_step


def build(job: Job):
    """An RLPlusTrainer for the run."""
    from baselines.rl_plus_trainer import RLPlusTrainer

    return luffy.build_with(job, RLPlusTrainer)
