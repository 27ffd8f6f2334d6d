"""The trainer of an arm, behind the engine where the scale's compute asks for it."""

import functools
from collections.abc import Callable

from uniapl.config import Compute


def engine_trainer(trainer: type, compute: Compute) -> Callable:
    """What builds the arm's trainer: the class `trainer`, which extends TRL's GRPOTrainer, as it is; or with every
    super() of it reaching EngineTrainer before TRL."""
    if not compute.engine:
        return trainer
    from uniapl.method.engine.trainer import FAST, EngineTrainer

    return functools.partial(type(f"Engine{trainer.__name__}", (trainer, EngineTrainer), {}), engine=FAST)
