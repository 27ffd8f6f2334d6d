"""CHORD against CHORD with the adversarial term, which is UniAPL.  The paper's table of single-run methods."""

from experiments.arms import CHORD, UNIAPL
from experiments.claims import TERM, follows_more, nearer_in_length, not_exploited
from uniapl.config import Experiment

EXPERIMENT = Experiment(
    name="unified",
    question="Does the adversarial term improve the single-stage mixture of SFT and GRPO?",
    expectation="No difference in accuracy that three seeds can see; a smaller distance to the expert with the term.",
    arms=(CHORD, UNIAPL),
    against=("chord",),
    worlds=("miniature", "everyday", "public"),
    claims=(
        follows_more("unified-1", UNIAPL, CHORD, "[A]", differs=TERM),
        nearer_in_length("unified-2", UNIAPL, CHORD, "[A]", differs=TERM),
        not_exploited("unified-3", UNIAPL),
    ),
)
