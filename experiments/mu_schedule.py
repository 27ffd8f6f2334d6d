"""How should the demonstrations' weight move?  CHORD's decay against a constant, a warm-up, and CHORD-phi."""

from baselines import uniapl
from experiments.arms import UNIAPL
from uniapl.config import Arm, Experiment

EXPERIMENT = Experiment(
    name="mu_schedule",
    question="Does the schedule of mu matter at an equal number of demonstrations?",
    expectation="A constant 0.5 keeps more of the demonstrations' style to the end and follows as many prompts; "
    "CHORD-phi learns less from the demonstrations and forgets fewer held-out types.",
    arms=(
        UNIAPL,
        Arm("mu_constant", uniapl, changes={"mu_peak": 0.5, "mu_valley": 0.5}),
        Arm("mu_warmup", uniapl, changes={"mu_warmup": 50, "mu_decay": 50}),
        Arm("mu_phi", uniapl, changes={"mu_peak": 0.1, "mu_valley": 0.1, "phi": 1.0}),
    ),
    against=("uniapl",),
    extended=True,
    worlds=("miniature",),
)
