"""What does the adversarial term add to a staged pipeline?  The paper's staged table, in miniature.

Every stage with and without the term: SFT -> GRPO, SFT -> A-GRPO, A-SFT -> A-GRPO, and the stages alone. Equal:
demonstration rows per SFT stage and rollouts per GRPO stage; A-SFT samples rollouts of its own on top (tables/cost).
Not equal: A-SFT has UniAPL's learning rate, schedule and rows per step, SFT its own. What the term itself adds to SFT
is asked in experiments/controls.py, against A-SFT's settings with lambda = 0.
"""

from experiments.headline import GRPO, SFT, SFT_THEN_GRPO, not_exploited
from uniapl.config import Arm, Claim, Experiment

ONLY_DEMONSTRATIONS = {"mu_peak": 1.0, "mu_valley": 1.0}
ONLY_ROLLOUTS = {"mu_peak": 0.0, "mu_valley": 0.0, "learning_rate": 5e-4}  # GRPO's rate
A_SFT = Arm("a_sft", "baselines.uniapl", changes=ONLY_DEMONSTRATIONS)
A_GRPO = Arm("a_grpo", "baselines.uniapl", changes=ONLY_ROLLOUTS)
AFTER = {**ONLY_ROLLOUTS, "learning_rate": 3e-4}  # the rate of GRPO after SFT
SFT_THEN_A_GRPO = Arm("sft_then_a_grpo", "baselines.uniapl", start="sft", changes=AFTER)
A_SFT_THEN_A_GRPO = Arm("a_sft_then_a_grpo", "baselines.uniapl", start="a_sft", changes=AFTER)

EXPERIMENT = Experiment(
    name="staged",
    question="Does the adversarial term improve SFT, GRPO, and pipelines of the two?",
    expectation="On pass rates no difference beyond two points in either direction; A-GRPO's responses are nearer to "
    "the expert's in length than GRPO's, and its discriminator's AUC nearer to 0.5.",
    arms=(
        SFT,
        A_SFT,
        GRPO,
        A_GRPO,
        SFT_THEN_GRPO,
        SFT_THEN_A_GRPO,
        A_SFT_THEN_A_GRPO,
    ),
    against=("sft_then_grpo", "grpo", "sft"),
    most_seeds=3,
    claims=(
        Claim(
            "staged-1",
            "SFT then A-GRPO follows more prompts than SFT then GRPO",
            "[R]",
            "accuracy",
            "sft_then_a_grpo",
            "sft_then_grpo",
            "above",
        ),
        Claim(
            "staged-2",
            "A-SFT then A-GRPO follows more prompts than SFT then GRPO",
            "[R]",
            "accuracy",
            "a_sft_then_a_grpo",
            "sft_then_grpo",
            "above",
        ),
        Claim("staged-3", "A-GRPO follows more prompts than GRPO", "[R]", "accuracy", "a_grpo", "grpo", "above"),
        Claim(
            "staged-5",
            "A-GRPO's response lengths are nearer to the expert's than GRPO's",
            "[A]",
            "length",
            "a_grpo",
            "grpo",
            "below",
        ),
        not_exploited("staged-6", "a_grpo", "A-GRPO"),
    ),
)
