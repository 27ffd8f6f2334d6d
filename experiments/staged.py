"""What does the adversarial term add to a staged pipeline?  The paper's staged table, in miniature.

Every stage with and without the term: SFT -> GRPO, SFT -> A-GRPO, A-SFT -> A-GRPO, and the stages alone. Equal:
demonstration rows per SFT stage and rollouts per GRPO stage; A-SFT samples rollouts of its own on top (tables/cost).
Not equal: A-SFT has UniAPL's learning rate, schedule and rows per step, SFT its own. What the term itself adds is read
against the controls, which have A-SFT's settings with lambda = 0; they were added after a first run without them.
"""

from experiments.headline import GRPO, SFT, SFT_THEN_GRPO, not_exploited
from uniapl.config import Arm, Claim, Experiment

ONLY_DEMONSTRATIONS = {"mu_peak": 1.0, "mu_valley": 1.0}
ONLY_ROLLOUTS = {"mu_peak": 0.0, "mu_valley": 0.0, "learning_rate": 5e-4}  # GRPO's rate
A_SFT = Arm("a_sft", "uniapl.recipe", changes=ONLY_DEMONSTRATIONS)
NO_TERM = {"lam": 0.0, "prompts_per_step": 1}  # no term reads the rollouts: a step samples as few as it can
SFT_CONTROL = Arm("sft_control", "uniapl.recipe", changes={**ONLY_DEMONSTRATIONS, **NO_TERM})
A_GRPO = Arm("a_grpo", "uniapl.recipe", changes=ONLY_ROLLOUTS)
AFTER = {**ONLY_ROLLOUTS, "learning_rate": 3e-4}  # the rate of GRPO after SFT
SFT_THEN_A_GRPO = Arm("sft_then_a_grpo", "uniapl.recipe", start="sft", changes=AFTER)

EXPERIMENT = Experiment(
    name="staged",
    question="Does the adversarial term improve SFT, GRPO, and pipelines of the two?",
    expectation="On pass rates no difference beyond two points in either direction; A-GRPO's responses are nearer to "
    "the expert's in length than GRPO's, and its discriminator's AUC nearer to 0.5.",
    arms=(
        SFT,
        SFT_CONTROL,
        A_SFT,
        GRPO,
        A_GRPO,
        SFT_THEN_GRPO,
        SFT_THEN_A_GRPO,
        Arm("sft_control_then_a_grpo", "uniapl.recipe", start="sft_control", changes=AFTER),
        Arm("a_sft_then_a_grpo", "uniapl.recipe", start="a_sft", changes=AFTER),
    ),
    against=("sft_then_grpo", "grpo", "sft", "sft_control"),
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
            "staged-4",
            "the adversarial term lets SFT follow more prompts",
            "[R]",
            "accuracy",
            "a_sft",
            "sft_control",
            "above",
        ),
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
        Claim(
            "staged-7",
            "before A-GRPO, A-SFT is a better start than SFT at the same settings",
            "[R]",
            "accuracy",
            "a_sft_then_a_grpo",
            "sft_control_then_a_grpo",
            "above",
        ),
    ),
)
