"""The scales: the same DAG with other data in it. Budgets and the settings of every trainer stand here."""

from uniapl.config import Arm, Evaluation, Scale
from uniapl.miniature.world import World

BASE = Arm("base", "baselines.sft", start="scratch", once=True)
DISCRIMINATOR = Arm("discriminator", "uniapl.discriminator", start="scratch", once=True)

PRETRAINING = {
    "text": "corpus",
    "steps": 500,
    "rows_per_step": 64,
    "learning_rate": 4e-3,
    "schedule": "cosine",
    "save_every": 100,
}
BASE_TINY = Arm("base", "baselines.sft", start="scratch", once=True, changes=PRETRAINING)

TINY = Scale(
    name="tiny",
    hardware="2 CPU cores",
    minutes="about 15 minutes",
    seeds=(0, 1, 2, 3, 4),
    world=World(),
    shared=(BASE_TINY, DISCRIMINATOR),
    settings={
        "baselines.sft": {"steps": 150, "rows_per_step": 32, "learning_rate": 1e-3, "probe_every": 15},
        "baselines.grpo": {"steps": 100, "learning_rate": 5e-4},
        "uniapl.recipe": {"steps": 100, "learning_rate": 1e-3, "demonstrations_per_step": 48},
        "uniapl.discriminator": {"steps": 140, "learning_rate": 1e-3, "schedule": "cosine"},
    },
    evaluation=Evaluation(),
)
SCALES = (TINY,)
