"""UniAPL-repro: one objective, three terms, and the evidence for what each of them does.

`from uniapl import UniAPLConfig, UniAPLTrainer` is the method alone; only that import loads torch.
"""

__version__ = "0.1.0"


def __getattr__(name: str):
    if name in ("UniAPLConfig", "UniAPLTrainer"):
        from uniapl.method import trainer

        return getattr(trainer, name)
    raise AttributeError(f"module 'uniapl' has no attribute {name!r}")
