"""Whose score?  The frozen miniature POLAR against one trained alongside, noise, length alone, and none."""

from experiments.unified import CHORD, UNIAPL
from uniapl.config import Arm, Claim, Experiment


def judged_by(kind: str) -> Arm:
    """UniAPL with another discriminator."""
    return Arm(f"d_{kind}", "baselines.uniapl", changes={"discriminator": kind})


EXPERIMENT = Experiment(
    name="discriminators",
    question="Does it matter which discriminator gives the adversarial term its score?",
    expectation="Noise changes nothing beyond variance, length alone shortens the distance in length, the co-trained "
    "one is exploited less than the frozen one.",
    arms=(CHORD, UNIAPL, *map(judged_by, ("cotrained", "random", "length"))),
    against=("uniapl", "chord"),
    most_seeds=3,
    extended=True,
    claims=(
        Claim(
            "discriminator-1",
            "the frozen discriminator beats noise in its place",
            "[R-asks] 5",
            "accuracy",
            "uniapl",
            "d_random",
            "above",
        ),
        Claim(
            "discriminator-2",
            "the co-trained discriminator beats the frozen one",
            "[R-asks] 5",
            "accuracy",
            "d_cotrained",
            "uniapl",
            "above",
        ),
    ),
)
