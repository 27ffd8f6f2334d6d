"""Seconds on GPUs, by arithmetic. N parameters that a token is multiplied with, L layers, q query size, T tokens."""

from uniapl.costs.assumptions import Assumptions
from uniapl.costs.gpus import Gpu
from uniapl.costs.memory import HALF, kv_cache
from uniapl.costs.shapes import Shape


def forward_flops(shape: Shape, tokens: float, length: float) -> float:
    """(2 N + 4 L q T) per token: matrices, and attention over T tokens without causal savings (arXiv 2204.02311, B)."""
    return tokens * (2 * shape.multiplied + 4 * shape.layers * shape.query * length)


def training_flops(shape: Shape, tokens: float, length: float, checkpointing: bool) -> float:
    """A backward pass is two forward passes; gradient checkpointing repeats one (arXiv 1604.06174)."""
    return (4 if checkpointing else 3) * forward_flops(shape, tokens, length)


def training(shape: Shape, tokens: float, length: float, checkpointing: bool, gpu: Gpu, a: Assumptions) -> float:
    """Seconds of forward and backward passes over `tokens` tokens in rows of `length`, in bfloat16 on one GPU."""
    return training_flops(shape, tokens, length, checkpointing) / (gpu.bf16 * a.training_mfu)


def forward(shape: Shape, tokens: float, length: float, rate: float, a: Assumptions) -> float:
    """Seconds of passes without gradient, at a GPU's `rate` in FLOP/s."""
    return forward_flops(shape, tokens, length) / (rate * a.forward_mfu)


def read(shape: Shape, sequences: float) -> float:
    """bfloat16 bytes of the weights that a decoding step of so many sequences reads.

    Of E experts with A active per token, s tokens touch E (1 - (1 - A/E)^s) in the mean, were they chosen at random.
    """
    idle = (1 - shape.active / shape.experts) ** sequences if shape.experts > 1 else 0.0
    experts = shape.layers * shape.experts * shape.mlp
    return HALF * (shape.layers * shape.layer_matrices - experts * idle + shape.output)


def decode_steps(responses: float, response: float, longest: float, sequences: float) -> float:
    """Decoding steps of `responses` responses, `sequences` at a time, the last of them until the longest ends."""
    return max(0.0, responses - sequences) * response / sequences + longest


def decode(
    shape: Shape,
    responses: float,
    prompt: float,
    response: float,
    longest: float,
    gpu: Gpu,
    a: Assumptions,
    *,
    gpus: int = 1,
    sequences: float | None = None,
) -> float:
    """Seconds of decoding with vLLM over `gpus` GPUs (tensor parallel), bound by reading memory (arXiv 2211.05102).

    Every step reads the weights; every token reads the keys and values before it, prompt + response / 2 in the mean.
    Prompts are computed, at the bfloat16 rate.
    """
    at_once = min(responses, sequences or a.sequences)
    steps = decode_steps(responses, response, longest, at_once)
    cached = responses * response * kv_cache(shape, 1) * (prompt + response / 2)
    reading = (steps * read(shape, at_once) + cached) / (gpu.bandwidth * a.bandwidth_share * gpus)
    return reading + steps * a.decode_overhead + forward(shape, responses * prompt, prompt, gpu.bf16 * gpus, a)
