"""What a process sets before it trains or generates: which packages it sees, its garbage, what TRL's head projects.

Most of the five seconds before a process of the miniature does anything are imports.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from uniapl.errors import UserError

VLLM = {  # unless the environment says otherwise
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # an error arrives with its cause, and not as "see above"
    "VLLM_USE_FLASHINFER_SAMPLER": "0",  # FlashInfer's is compiled by nvcc at the start; PyTorch's is there everywhere
}


def set_vllm() -> None:
    """Let vLLM start where there is no CUDA compiler, and sample by the same code on every machine."""
    for name, value in VLLM.items():
        os.environ.setdefault(name, value)


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

    The same values up to rounding (1e-6), in a twelfth less of a step of the miniature. For every later trainer of this
    process. TRL 1.16's name for the choice; raises UserError where TRL has it no more.
    """
    from trl.trainer import utils

    if not hasattr(utils, "_use_triton"):
        raise UserError("trl.trainer.utils: no _use_triton in this TRL; install the version of pyproject.toml")
    utils._use_triton = lambda device: True


def without(*packages: str) -> None:
    """Hide packages that transformers and TRL import where they find them, for a process that does not use them.

    Call it before these two are imported: it saves a quarter of that time. vLLM needs some of the packages: where it is
    installed, nothing is hidden.
    """
    if find_spec("vllm") is None:
        for name in packages:
            sys.modules.setdefault(name, None)
