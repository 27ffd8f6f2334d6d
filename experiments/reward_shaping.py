"""The adversarial term as a loss of its own, or added to the reward?  The paper reports that the separate loss wins.

On policy, a separate loss is GRPO with A_reward + lambda A_discriminator, each normalised in its group; shaping
normalises reward + lambda score together. The difference is the normalisation, nothing else (tested).
"""

from experiments.arms import A_GRPO, GRPO, SHAPED
from experiments.claims import falls, follows_more
from uniapl.config import Experiment

MORE = "the separate loss follows more prompts than the shaped reward"
EXPLOITED = "the shaped reward exploits the discriminator more than the separate loss"

EXPERIMENT = Experiment(
    name="reward_shaping",
    question="Does a separate adversarial loss beat adding the discriminator's score to the reward?",
    expectation="The shaped reward is exploited more (lower AUC), because the raw score dominates where all rollouts "
    "of a group earn the same reward; accuracy slightly lower.",
    arms=(GRPO, A_GRPO, SHAPED),
    against=("grpo_reward_shaped", "grpo"),
    worlds=("miniature", "public"),
    claims=(
        follows_more("shaping-1", A_GRPO, SHAPED, "[R]", MORE),
        falls("shaping-2", "auc", EXPLOITED, SHAPED, A_GRPO, "ours"),
    ),
)
