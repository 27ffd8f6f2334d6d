"""Bytes on a GPU, by arithmetic. B rows of T tokens; D hidden, q query, k key, I intermediate size; V vocabulary.

Training is that of baselines/common.py: float32 parameters, gradients and AdamW, bfloat16 autocast where the
scale says so, rollout rows padded on the left (so attention has a mask), TRL's head, which keeps no logits.
tests/costs/test_plan_memory.py holds every formula against what PyTorch allocates.
"""

from uniapl.costs.shapes import Shape

FLOAT, HALF = 4, 2  # bytes of float32, and of bfloat16 or float16
TILE = 4096, 32_768  # positions x words of TRL 1.16's head: trl/kernels/chunked_logprob.py, trl/trainer/utils.py


def parameters(shape: Shape, width: int = FLOAT) -> int:
    """Bytes of the weights at `width` bytes per parameter."""
    return width * shape.parameters


def optimizer(shape: Shape) -> int:
    """AdamW's two moments, float32 (Loshchilov & Hutter, arXiv 1711.05101); the fused step has no temporaries."""
    return 2 * FLOAT * shape.parameters


def layer(shape: Shape, rows: int, length: int, bf16: bool) -> int:
    """What the backward pass of one layer needs of its forward pass. Ours: counted tensor by tensor.

    float32 per token: two norms keep their input, and what they normalised, 4 D; queries and keys theirs, q + k.
    With autocast in bfloat16: inputs of the five projections 5 D, normalised queries and keys q + k, attention's
    queries, repeated keys and values, and output 4 q, gate, its activation, up and their product 4 I. In float32 the
    two norms' outputs stand for the five inputs. Attention keeps one float per head and token; each norm one per row;
    the mask T per token.
    """
    d, q, k, i = shape.hidden, shape.query, shape.key, shape.intermediate * shape.active
    small = FLOAT * (2 + shape.heads)
    normalised = q + k if shape.qk_norm else 0
    if shape.qk_norm:
        small += FLOAT * (shape.heads + shape.kv_heads)
    inputs, width = (5 * d, HALF) if bf16 else (2 * d, FLOAT)
    computed = inputs + normalised + 4 * q + 4 * i + length
    return rows * length * (FLOAT * (4 * d + normalised) + small + width * computed)


def layer_gradients(shape: Shape, rows: int, length: int, bf16: bool) -> int:
    """Gradients that a layer's backward pass has at once: two of its MLP, two float32 residuals. Ours: measured."""
    width = HALF if bf16 else FLOAT
    return rows * length * (2 * width * shape.intermediate * shape.active + 2 * FLOAT * shape.hidden)


def copies(shape: Shape) -> int:
    """Autocast's bfloat16 copies of one layer's matrices, which live until its backward pass."""
    return HALF * shape.layer_matrices


def boundaries(shape: Shape, rows: int, length: int) -> int:
    """The float32 inputs of all layers, all that checkpointing keeps of them (Chen et al., arXiv 1604.06174)."""
    return FLOAT * rows * length * shape.layers * shape.hidden


def last_norm(shape: Shape, rows: int, length: int) -> int:
    """The last norm's input, what it normalised, and one float per token."""
    return FLOAT * rows * length * (2 * shape.hidden + 1)


def tile(positions: int, bf16: bool) -> int:
    """TRL's logits at any one time; its width does not depend on the vocabulary."""
    return (HALF if bf16 else FLOAT) * min(positions, TILE[0]) * TILE[1]


def head(shape: Shape, positions: int, bf16: bool) -> int:
    """TRL's head in its backward pass: tile + V D + 2 N D, with autocast also a tile's part of the matrix.

    In float32: the gradients of matrix and states, and the states of the N scored positions, as
    trl/kernels/chunked_logprob.py allocates them on a GPU: whole logits are never there.
    """
    matrix = HALF * shape.hidden * min(shape.vocabulary, TILE[1]) if bf16 else 0
    return tile(positions, bf16) + matrix + FLOAT * (shape.embedding + 2 * positions * shape.hidden)


def moments(shape: Shape, rows: int, length: int, positions: int, *, bf16: bool, checkpointing: bool) -> dict:
    """What a micro-batch has beside the states at three moments, part by part; `positions` are scored by the head.

    forward   the inputs of the head are there, and all of autocast's copies
    head      the head's backward pass; checkpointed, the copies are gone
    layer     the last layer's backward pass; checkpointed, it is recomputed and the others are their inputs.
              What the last norm kept is gone; a tied head's gradient waits, beside the others, for the embedding's
    """
    per_layer, norm = layer(shape, rows, length, bf16), last_norm(shape, rows, length)
    copied = copies(shape) if bf16 else 0
    below = boundaries(shape, rows, length) if checkpointing else shape.layers * per_layer
    alive = 0 if checkpointing else shape.layers * copied
    waiting = FLOAT * shape.embedding if shape.tied else 0
    recomputed, gradients = per_layer if checkpointing else 0, layer_gradients(shape, rows, length, bf16)

    def parts(activations: int, copies: int, head: int) -> dict[str, int]:
        return {"activations": activations, "bfloat16 copies": copies, "head": head}

    return {
        "forward": parts(below + norm, shape.layers * copied, tile(positions, bf16)),
        "head": parts(below + norm, alive, head(shape, positions, bf16)),
        "layer": parts(below + recomputed + gradients, max(alive, copied), waiting),
    }


def kv_cache(shape: Shape, tokens: int, width: int = HALF) -> int:
    """Keys and values of `tokens` tokens: 2 x layers x k numbers each (grouped queries: arXiv 2305.13245)."""
    return 2 * width * shape.layers * shape.key * tokens


def inference(shape: Shape, rows: int, length: int, width: int = FLOAT) -> int:
    """A forward pass without gradient, of one layer: in its MLP 4 D + 3 I, in its attention 3 D + 4 q + 2 k per token.

    And a mask, 1.3 T. Ours: measured. A mixture of experts runs one expert at a time.
    """
    mlp = 4 * shape.hidden + 3 * shape.intermediate * shape.active
    attention = 3 * shape.hidden + 4 * shape.query + 2 * shape.key
    return int(width * rows * length * (max(mlp, attention) + 1.3 * length))
