"""What TRL's fused head computes on a CPU: labelled positions alone, and under autocast products in bfloat16.

TRL 1.16 projects labelled positions alone where Triton runs, the same values up to rounding. On a CPU it multiplies the
head's gradients in float32 even under autocast, at a quarter of bfloat16's speed, because rounding the product of every
chunk of the vocabulary before adding biases training (its comment in trl/kernels/chunked_logprob.py). Here the whole
vocabulary is one chunk, so that a product is rounded once, as autocast rounds every other layer's gradient.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor
from trl.kernels import chunked_logprob
from trl.kernels.chunked_logprob import ChunkedLogProbFunction
from trl.trainer import utils

from uniapl.method.engine.colocated import replaced

TOKENS = 256  # of a tile: at a vocabulary of 49,152 one float32 copy takes 50 MB


def add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    """total += a @ b, the product rounded to the type of `a` and `b`."""
    total.add_(a @ b.to(a.dtype))


class RoundedHead(ChunkedLogProbFunction):
    """TRL's head over tiles of TOKENS x whole vocabulary, whose gradients are products in the type of the tile."""

    @staticmethod
    def forward(ctx, hidden, weight, bias, targets, temperature, chunk_size, *options):
        with replaced(chunked_logprob, "TOKEN_CHUNK_SIZE", TOKENS):
            return ChunkedLogProbFunction.forward(
                ctx, hidden, weight, bias, targets, temperature, weight.shape[0], *options
            )

    @staticmethod
    def backward(ctx, *gradients):
        with (
            replaced(chunked_logprob, "TOKEN_CHUNK_SIZE", TOKENS),
            replaced(chunked_logprob, "_addmm_fp32", add_product),
        ):
            return ChunkedLogProbFunction.backward(ctx, *gradients)


@contextmanager
def projecting_labels(rounded: bool) -> Iterator[None]:
    """Within, TRL's head projects labelled positions alone; `rounded`: as RoundedHead, also in the backward pass."""
    with ExitStack() as stack:
        stack.enter_context(replaced(utils, "_use_triton", lambda device: True))
        if rounded:
            stack.enter_context(replaced(utils, "_ChunkedLogProbFunction", RoundedHead))
        yield


def rounds(device: torch.device) -> bool:
    """Whether a head on this device, now, is one that TRL multiplies in float32 though its inputs are bfloat16."""
    return device.type == "cpu" and torch.is_autocast_enabled("cpu")
