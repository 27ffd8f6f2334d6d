"""What TRL's fused head computes on a CPU: labelled positions alone, and under autocast products in bfloat16.

TRL 1.16 projects labelled positions alone where Triton runs, the same values up to rounding. On a CPU it multiplies the
head's gradients in float32 even under autocast, at a quarter of bfloat16's speed: it does not round a chunk's product
before adding. Rounding each product once is what autocast does to every other layer's gradient.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from trl.kernels import chunked_logprob
from trl.kernels.chunked_logprob import ChunkedLogProbFunction
from trl.trainer import utils

from uniapl.method.engine.colocated import replaced


def add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    """total += a @ b, the product rounded to the type of `a` and `b`."""
    total.add_(a @ b.to(a.dtype))


class RoundedHead(ChunkedLogProbFunction):
    """TRL's head, whose gradients are products in the type of its forward pass."""

    @staticmethod
    def backward(ctx, *gradients):
        with replaced(chunked_logprob, "_addmm_fp32", add_product):
            return ChunkedLogProbFunction.backward(ctx, *gradients)


@contextmanager
def projecting_labels(rounded: bool) -> Iterator[None]:
    """Within, TRL's head projects labelled positions alone; `rounded`: as RoundedHead, also in the backward pass."""
    head = RoundedHead if rounded else utils._ChunkedLogProbFunction
    with replaced(utils, "_use_triton", lambda device: True), replaced(utils, "_ChunkedLogProbFunction", head):
        yield


def rounds(device: torch.device) -> bool:
    """Whether a head on this device, now, is one that TRL multiplies in float32 though its inputs are bfloat16."""
    return device.type == "cpu" and torch.is_autocast_enabled("cpu")
