"""CHORD against CHORD with the adversarial term, which is UniAPL.  The paper's table of single-run methods."""

from experiments.headline import UNIAPL, not_exploited
from uniapl.config import Arm, Claim, Experiment

CHORD = Arm("chord", "baselines.uniapl", changes={"lam": 0.0})

EXPERIMENT = Experiment(
    name="unified",
    question="Does the adversarial term improve the single-stage mixture of SFT and GRPO?",
    expectation="No difference in accuracy that three seeds can see; a smaller distance to the expert with the term.",
    arms=(CHORD, UNIAPL),
    against=("chord",),
    most_seeds=3,
    claims=(
        Claim("unified-1", "UniAPL follows more prompts than CHORD", "[A]", "accuracy", "uniapl", "chord", "above"),
        Claim(
            "unified-2",
            "UniAPL's response lengths are nearer to the expert's than CHORD's",
            "[A]",
            "length",
            "uniapl",
            "chord",
            "below",
        ),
        not_exploited("unified-3", "uniapl", "UniAPL"),
    ),
)
