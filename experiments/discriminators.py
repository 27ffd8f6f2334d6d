"""Whose score?  The frozen miniature POLAR against one trained alongside, noise, length alone, and none."""

from dataclasses import replace

from experiments.arms import CHORD, UNIAPL
from experiments.claims import follows_more
from uniapl.config import Arm, Experiment

BEATS_NOISE = "the frozen discriminator beats noise in its place"
BEATS_FROZEN = "the co-trained discriminator beats the frozen one"
SCORE = ("discriminator",)  # what the arms differ in


def with_discriminator(discriminator: str) -> Arm:
    """UniAPL with another discriminator."""
    return replace(UNIAPL, name=f"d_{discriminator}", changes={"discriminator": discriminator}, label="")


COTRAINED, RANDOM, LENGTH = map(with_discriminator, ("cotrained", "random", "length"))


EXPERIMENT = Experiment(
    name="discriminators",
    question="Does it matter which discriminator gives the adversarial term its score?",
    expectation="Noise changes nothing beyond variance, length alone shortens the distance in length, the co-trained "
    "one is exploited less than the frozen one.",
    arms=(CHORD, UNIAPL, COTRAINED, RANDOM, LENGTH),
    against=("uniapl", "chord"),
    worlds=("miniature", "public"),
    extended=True,
    claims=(
        follows_more("discriminator-1", UNIAPL, RANDOM, "[R-asks] 5", BEATS_NOISE, differs=SCORE),
        follows_more("discriminator-2", COTRAINED, UNIAPL, "[R-asks] 5", BEATS_FROZEN, differs=SCORE),
    ),
)
