"""The adversarial term as a loss of its own, or added to the reward?  The paper reports that the separate loss wins.

On policy, a separate loss is GRPO with A_reward + lambda A_discriminator, each normalised in its group; shaping
normalises reward + lambda score together. The difference is the normalisation, nothing else (tested).
"""

from experiments.headline import GRPO
from experiments.staged import A_GRPO
from uniapl.config import Arm, Claim, Experiment

EXPERIMENT = Experiment(
    name="reward_shaping",
    question="Does a separate adversarial loss beat adding the discriminator's score to the reward?",
    expectation="The shaped reward is exploited more (lower AUC), because the raw score dominates where all rollouts "
    "of a group earn the same reward; accuracy slightly lower.",
    arms=(GRPO, A_GRPO, Arm("grpo_reward_shaped", "baselines.grpo_reward_shaped")),
    against=("grpo_reward_shaped", "grpo"),
    most_seeds=3,
    claims=(
        Claim(
            "shaping-1",
            "the separate loss follows more prompts than the shaped reward",
            "[R]",
            "accuracy",
            "a_grpo",
            "grpo_reward_shaped",
            "above",
        ),
        Claim(
            "shaping-2",
            "the shaped reward exploits the discriminator more than the separate loss",
            "ours",
            "auc",
            "grpo_reward_shaped",
            "a_grpo",
            "below",
        ),
    ),
)
