"""Does a small policy reach far larger models?  The abstract's comparisons, with checkpoints fetched as they are.

The teacher and Qwen3-32B are evaluated as the arms are: same prompts, same template without thinking, greedy.
"""

from experiments.arms import GRPO, UNIAPL
from experiments.scales import fetched
from uniapl.config import Arm, Claim, Experiment

LARGER = fetched("qwen3_32b", "Qwen/Qwen3-32B")
MIDDLE = fetched("qwen3_4b", "Qwen/Qwen3-4B")
TEACHER = fetched("teacher", "Qwen/Qwen3-235B-A22B-Instruct-2507")
POINTS = 1.0  # "matches": at most this much below


def reaches(id: str, sentence: str, against: Arm, source: str = "[A]", margin: float = -POINTS) -> Claim:
    """The claim that UniAPL follows as many prompts as a larger model, less the margin in points."""
    return Claim(id, sentence, source, "accuracy", UNIAPL.name, against.name, "above", margin=margin)


EXPERIMENT = Experiment(
    name="comparators",
    question="Does UniAPL match Qwen3-32B and outperform its teacher?",
    expectation="Qwen3-0.6B stays far below both (published IFEval: 54.5 against 83.2 and 88.7); Qwen3-4B (81.2) comes "
    "near Qwen3-32B and stays below the teacher.",
    arms=(GRPO, UNIAPL, MIDDLE, LARGER, TEACHER),
    against=(LARGER.name, TEACHER.name),
    extended=True,
    worlds=("public",),
    claims=(
        reaches("comparators-1", "UniAPL matches Qwen3-32B", LARGER),
        reaches("comparators-2", "UniAPL outperforms its teacher", TEACHER, margin=0.0),
        reaches("comparators-3", "UniAPL matches Qwen3-4B", MIDDLE, source="[R]"),
    ),
)
