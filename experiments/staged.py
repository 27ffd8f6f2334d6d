"""What does the adversarial term add to a staged pipeline?  The paper's staged table, in miniature.

Every stage with and without the term: SFT -> GRPO, SFT -> A-GRPO, A-SFT -> A-GRPO, and the stages alone. Equal:
demonstration rows per SFT stage and rollouts per GRPO stage; A-SFT samples rollouts of its own on top (tables/cost).
Not equal: A-SFT has UniAPL's learning rate, schedule and rows per step, SFT its own. What the term itself adds to SFT
is asked in experiments/controls.py, against A-SFT's settings with lambda = 0.
"""

from experiments.arms import A_GRPO, A_SFT, A_SFT_THEN_A_GRPO, GRPO, SFT, SFT_THEN_A_GRPO, SFT_THEN_GRPO
from experiments.claims import follows_more, nearer_in_length, not_exploited
from uniapl.config import Experiment

OF_A_SFT = ("start.learning_rate", "start.schedule", "start.steps")

EXPERIMENT = Experiment(
    name="staged",
    question="Does the adversarial term improve SFT, GRPO, and pipelines of the two?",
    expectation="On pass rates no difference beyond two points in either direction; A-GRPO's responses are nearer to "
    "the expert's in length than GRPO's, and its discriminator's AUC nearer to 0.5.",
    arms=(SFT, A_SFT, GRPO, A_GRPO, SFT_THEN_GRPO, SFT_THEN_A_GRPO, A_SFT_THEN_A_GRPO),
    against=("sft_then_grpo", "grpo", "sft"),
    worlds=("miniature", "public"),
    claims=(
        follows_more("staged-1", SFT_THEN_A_GRPO, SFT_THEN_GRPO, "[R]"),
        follows_more("staged-2", A_SFT_THEN_A_GRPO, SFT_THEN_GRPO, "[R]", differs=OF_A_SFT),
        follows_more("staged-3", A_GRPO, GRPO, "[R]"),
        nearer_in_length("staged-5", A_GRPO, GRPO, "[A]"),
        not_exploited("staged-6", A_GRPO),
    ),
)
