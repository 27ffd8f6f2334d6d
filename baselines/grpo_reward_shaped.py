"""GRPO whose reward is shaped: verifiable reward + lam x score of the frozen discriminator, under one advantage.

The alternative to UniAPL's separate term: here lam trades obedience against style inside each group of rollouts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import setting
from uniapl.config.job import Job
from uniapl.discriminators import Discriminator, load_discriminator, validated_scores

if TYPE_CHECKING:
    from trl import GRPOTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    lam: float = setting(0.1, "ours: not stated; UniAPL's lambda, so that the arms differ in where the score enters")


def reward_function(discriminator: Discriminator) -> Callable:
    """The discriminator as a TRL reward function: chats in, one float per rollout out.

    A rollout without demonstration gets 0, as do all others of its prompt: its advantage is that of the reward alone.
    """

    def discriminate(prompts, completions, demonstration, **_) -> list[float]:
        rows = [i for i, text in enumerate(demonstration) if text is not None]
        scores = [0.0] * len(completions)
        if rows:
            questions, references = [prompts[i][-1]["content"] for i in rows], [demonstration[i] for i in rows]
            responses = [completions[i][0]["content"] for i in rows]
            own = validated_scores(discriminator.score(questions, references, responses), len(rows)).tolist()
            for i, score in zip(rows, own, strict=True):
                scores[i] = score
        return scores

    return discriminate


def build(job: Job) -> "GRPOTrainer":
    """The run's trainer: trl.GRPOTrainer with two weighted rewards and the discriminator of `job.discriminator`."""
    from uniapl.checkers.reward import follows_all

    rewards = [follows_all, reward_function(load_discriminator(job))]
    return grpo.trainer(job, rewards, reward_weights=[1.0, job.run.settings.lam])


METRICS = grpo.METRICS
most_per_step = grpo.most_per_step
