"""What scale small takes its data from: prompts of our own, the published evaluation sets, the base as its teacher."""

from dataclasses import dataclass
from typing import ClassVar

from uniapl.config import load_scale
from uniapl.data.teach import Teacher
from uniapl.errors import UserError

ON_POLICY = "ours: the base's own distribution, as rollouts are drawn"
BASE = Teacher(
    model="base",
    temperature=1.0,
    top_p=1.0,
    top_k=0,
    presence_penalty=0.0,
    max_tokens=384,
    attempts=3,
    max_model_len=2_048,
    tensor_parallel=1,
    concurrency=96,
    token_budget=30_000_000,
)


@dataclass(frozen=True)
class World:
    """Sizes, in prompts, and the seed of everything that is drawn.

    `train`: prompts that get a demonstration where the edited answer follows them; `validation`: of the same topics;
    `test`: of topics that no training prompt has (benchmark new_topics), beside the 841 published ones. `base` is how
    the base is sampled for demonstrations: `attempts` is the n of best of n. `demanding`: the share of prompts with an
    instruction that no short answer can follow. `instructions`: how often a prompt has one, two, three. `comparisons`:
    training prompts of the discriminator's triples.
    """

    seed: int = 0
    train: int = 2_048
    validation: int = 128
    test: int = 256
    demanding: float = 0.85
    instructions: tuple[int, int, int] = (305, 179, 57)  # as many of IFEval's 541 prompts have one, two, three
    comparisons: int = 200
    base: Teacher = BASE
    kind: ClassVar[str] = "everyday"


def world_of(scale: str) -> World:
    """The world of the scale of this name. Raises UserError where it is of another kind."""
    world = load_scale(scale).world
    if not isinstance(world, World):
        raise UserError(f"scale {scale}: its world is {world.kind}, not everyday")
    return world
