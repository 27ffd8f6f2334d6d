"""Attention over a packed batch (uniapl/method/engine/packing.py), as an attention function of transformers.

`model.set_attn_implementation(NAME)` after `register()`. A call with the keyword `packing` attends within each prefix,
and from each row to its prefix and itself; a call without it is transformers' sdpa: generation is what it was.
Padding exists inside this function alone: linear layers, norms and the head see real tokens.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from uniapl.method.engine.packing import Block, Packing

NAME = "uniapl_packed"


class _Pad(torch.autograd.Function):
    """(tokens, ...) to (R, T, ...); what stands in padding cells has no gradient."""

    @staticmethod
    def forward(ctx, x: Tensor, part: Block) -> Tensor:
        ctx.part = part
        return x[part.slots]

    @staticmethod
    def backward(ctx, grad: Tensor):
        return grad.flatten(0, 1)[ctx.part.cells], None


class _Unpad(torch.autograd.Function):
    """(R, T, ...) to (tokens, ...), without the padding cells."""

    @staticmethod
    def forward(ctx, x: Tensor, part: Block) -> Tensor:
        ctx.part, ctx.shape = part, x.shape
        return x.flatten(0, 1)[part.cells]

    @staticmethod
    def backward(ctx, grad: Tensor):
        flat = grad.new_zeros(ctx.shape).flatten(0, 1)
        return flat.index_copy_(0, ctx.part.cells, grad).view(ctx.shape), None


def _heads_first(x: Tensor, part: Block) -> Tensor:
    """(tokens, heads, width) to (R, heads, T, width)."""
    return _Pad.apply(x, part).transpose(1, 2)


def _tokens_first(x: Tensor, part: Block) -> Tensor:
    """(R, heads, T, width) to (tokens, heads, width)."""
    return _Unpad.apply(x.transpose(1, 2), part)


def packed_attention(
    module, query: Tensor, key: Tensor, value: Tensor, attention_mask, packing: Packing | None = None, **kwargs
):
    """transformers' contract: query, key, value (1, heads, N, width), fewer heads of keys; to (1, N, heads, width)."""
    if packing is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    scale, groups = kwargs["scaling"], query.shape[1] // key.shape[1]
    sizes = [packing.prefixes.tokens] if packing.prefixes else []
    sizes += [rows.block.tokens for rows in packing.rows]
    # under autocast rotated queries and keys are float32, values are not
    q, k, v = (x[0].transpose(0, 1).to(value.dtype).split(sizes) for x in (query, key, value))
    out, shared = [], None
    if packing.prefixes:
        q0, *q = q
        k0, *k = k
        v0, *v = v
        q0, k0, v0 = (_heads_first(x, packing.prefixes) for x in (q0, k0, v0))
        attended = F.scaled_dot_product_attention(
            q0, repeat_kv(k0, groups), repeat_kv(v0, groups), is_causal=True, scale=scale
        )
        out.append(_tokens_first(attended, packing.prefixes))
        shared = k0, v0
    for rows, q1, k1, v1 in zip(packing.rows, q, k, v, strict=True):
        q1, k1, v1 = (_heads_first(x, rows.block) for x in (q1, k1, v1))
        if shared:
            k1, v1 = (torch.cat([x[rows.owner], own], dim=2) for x, own in zip(shared, (k1, v1), strict=True))
        attended = F.scaled_dot_product_attention(
            q1, repeat_kv(k1, groups), repeat_kv(v1, groups), attn_mask=rows.bias(q1.dtype), scale=scale
        )
        out.append(_tokens_first(attended, rows.block))
    return torch.cat(out)[None], None


def register() -> str:
    """Make NAME an attention implementation of transformers; returns it."""
    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    return NAME
