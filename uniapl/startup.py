"""Start-up: most of the five seconds before a process of the miniature does anything are imports."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import, and build what lives as long as the process, without looking for garbage; nor is it looked at later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def project_labels_alone() -> None:
    """Let TRL's head project the positions that have a label, no others: it does so where Triton runs, on no CPU.

    The same values up to rounding (1e-6), in a twelfth less of a step of the miniature. TRL 1.16's name for the choice.
    """
    from trl.trainer import utils

    if not hasattr(utils, "_use_triton"):
        raise ImportError("this TRL chooses otherwise which positions its head projects: see uniapl/startup.py")
    utils._use_triton = lambda device: True


def without(*packages: str) -> None:
    """Hide packages that transformers and TRL import where they find them, for a process that does not use them.

    Before its imports: they are a quarter of their time. vLLM needs some: where it is installed, nothing is hidden.
    """
    if find_spec("vllm") is None:
        for name in packages:
            sys.modules.setdefault(name, None)
