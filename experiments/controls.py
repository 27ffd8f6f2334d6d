"""What does the adversarial term itself add to SFT?  A-SFT against its own settings with lambda = 0.

A-SFT has UniAPL's learning rate, schedule and rows per step, the SFT arm its own: their difference is of both, settings
and term. The controls differ from A-SFT, alone and before A-GRPO, in the term only. Both claims were asked in
experiments/staged.py first, as staged-4 and staged-7, after a run without controls had been seen.
"""

from experiments.headline import SFT
from experiments.staged import A_SFT, A_SFT_THEN_A_GRPO, AFTER, ONLY_DEMONSTRATIONS
from uniapl.config import Arm, Claim, Experiment

NO_TERM = {"lam": 0.0, "prompts_per_step": 1}  # no term reads the rollouts: a step samples as few as it can
SFT_CONTROL = Arm("sft_control", "baselines.uniapl", changes={**ONLY_DEMONSTRATIONS, **NO_TERM})

EXPERIMENT = Experiment(
    name="controls",
    question="Does the adversarial term improve SFT, alone and as the start of A-GRPO, at equal settings?",
    expectation="No difference beyond two points in either direction.",
    arms=(
        SFT,
        SFT_CONTROL,
        A_SFT,
        Arm("sft_control_then_a_grpo", "baselines.uniapl", start="sft_control", changes=AFTER),
        A_SFT_THEN_A_GRPO,
    ),
    against=("sft_control", "sft_control_then_a_grpo"),
    most_seeds=3,
    extended=True,
    claims=(
        Claim(
            "controls-1",
            "the adversarial term lets SFT follow more prompts",
            "[R]",
            "accuracy",
            "a_sft",
            "sft_control",
            "above",
        ),
        Claim(
            "controls-2",
            "before A-GRPO, A-SFT is a better start than SFT at the same settings",
            "[R]",
            "accuracy",
            "a_sft_then_a_grpo",
            "sft_control_then_a_grpo",
            "above",
        ),
    ),
)
