"""UniAPL-repro: one objective, three terms, and the evidence for what each of them does.

What is stable is what `__all__` names: the trainer of the method, the protocol of its discriminator, and the scorers.

    from uniapl import UniAPLConfig, UniAPLTrainer      # TRL's GRPOTrainer, two terms more; these load torch
    from uniapl import reward, fraction                 # GRPOTrainer(reward_funcs=reward, ...)
    from uniapl import score                            # score("prompts.jsonl", "responses.jsonl"): a row per instruction

Each name is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uniapl.checkers import check
    from uniapl.discriminators import Discriminator
    from uniapl.method.trainer import UniAPLConfig, UniAPLTrainer
    from uniapl.scorers import fraction, reward, score

__version__ = "0.1.0"
__all__ = ["Discriminator", "UniAPLConfig", "UniAPLTrainer", "check", "fraction", "reward", "score"]

_MODULES = {
    "Discriminator": "uniapl.discriminators",
    "UniAPLConfig": "uniapl.method.trainer",
    "UniAPLTrainer": "uniapl.method.trainer",
    "check": "uniapl.checkers",
    "fraction": "uniapl.scorers",
    "reward": "uniapl.scorers",
    "score": "uniapl.scorers",
}


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'uniapl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
