"""Start-up: six seconds of every process that uses torch are imports, and a fifth of that is the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import, and build what lives as long as the process, without looking for garbage; nor is it looked at later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
