"""What TRL's fused head computes on a CPU: the positions that have a label, no others.

TRL 1.16 does so where Triton runs. The same values up to rounding.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from trl.trainer import utils

from uniapl.method.engine.colocated import replaced


@contextmanager
def projecting_labels() -> Iterator[None]:
    """Within, TRL's head projects labelled positions alone; its forward pass reads the choice, its backward does not."""
    with replaced(utils, "_use_triton", lambda device: True):
        yield
