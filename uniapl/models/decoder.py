"""A Qwen3 or Llama that only decodes: the policy's weights in few large products, with a cache written in place.

transformers' modules take most of a small model's time at every token (norms of five operations, three products for
query, key and value). The same function up to rounding; the test holds it against transformers' logits.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

FAMILIES = ("qwen3", "llama")


class Decoder:
    """The weights of a policy, in `dtype`, on its device, as of the last `load`; Raises ValueError for another model.

    `prefill` reads prompts, `step` one token more of each row; both return the last position's logits.
    """

    def __init__(self, policy, dtype: torch.dtype):
        config = policy.config
        if config.model_type not in FAMILIES or config.attention_bias or getattr(config, "mlp_bias", False):
            raise ValueError(
                f"the engine's sampler knows {' and '.join(FAMILIES)} without biases, not {config.model_type}: "
                "generate with vLLM, or by TRL's own path"
            )
        self.config, self.dtype, self.device = config, dtype, policy.device
        self.heads, self.key_heads = config.num_attention_heads, config.num_key_value_heads
        self.width = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.rotary = policy.model.rotary_emb
        self.layers, self.cache = None, None
        self.load(policy)

    @torch.no_grad()
    def load(self, policy) -> None:
        """Take the policy's weights of now."""
        self.embeddings = policy.model.embed_tokens.weight.to(self.dtype)
        self.head = policy.lm_head.weight.to(self.dtype)
        self.norm = policy.model.norm.weight.to(self.dtype)
        self.layers = [self._layer(layer) for layer in policy.model.layers]

    def _layer(self, layer) -> dict[str, Tensor | None]:
        attn, mlp, of_heads = layer.self_attn, layer.mlp, None
        if hasattr(attn, "q_norm"):
            weights = [attn.q_norm.weight.expand(self.heads, -1), attn.k_norm.weight.expand(self.key_heads, -1)]
            of_heads = torch.cat(weights).to(self.dtype)
        return {
            "before": layer.input_layernorm.weight.to(self.dtype),
            "qkv": torch.cat([x.weight.to(self.dtype) for x in (attn.q_proj, attn.k_proj, attn.v_proj)]),
            "of_heads": of_heads,
            "out": attn.o_proj.weight.to(self.dtype),
            "between": layer.post_attention_layernorm.weight.to(self.dtype),
            "gate_up": torch.cat([mlp.gate_proj.weight.to(self.dtype), mlp.up_proj.weight.to(self.dtype)]),
            "down": mlp.down_proj.weight.to(self.dtype),
        }

    def prefill(self, ids: Tensor, mask: Tensor, owner: Tensor, room: int) -> Tensor:
        """Logits (R, V) after the prompts of R rows: prompts (U, P), padded on the left, of which row i has `owner`[i].

        The cache then has room for `room` tokens more of each row.
        """
        prompts, longest = ids.shape
        self.length, positions = 0, (mask.cumsum(1) - 1).clamp(min=0)
        self._allocate(prompts, longest)
        causal = torch.ones(longest, longest, dtype=torch.bool, device=self.device).tril()
        visible = causal & mask[:, None, None] | torch.eye(longest, dtype=torch.bool, device=self.device)
        logits = self._forward(ids, positions, visible)
        narrow, self.length = self.cache, longest
        self._allocate(len(owner), longest + room)
        self.cache[:, :, :, :, :longest] = narrow[:, :, owner]
        self.visible = torch.ones(len(owner), 1, 1, longest + room, dtype=torch.bool, device=self.device)
        self.visible[..., :longest] = mask[owner, None, None]
        self.positions = mask.sum(1)[owner, None]
        return logits[owner]

    def step(self, tokens: Tensor) -> Tensor:
        """Logits (R, V) after one token more of each row."""
        logits = self._forward(tokens[:, None], self.positions, self.visible[..., : self.length + 1])
        self.positions, self.length = self.positions + 1, self.length + 1
        return logits

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these."""
        self.cache, self.visible, self.positions = self.cache[:, :, rows], self.visible[rows], self.positions[rows]

    def _allocate(self, rows: int, length: int) -> None:
        shape = len(self.layers), 2, rows, self.key_heads, length, self.width
        self.cache = torch.zeros(shape, dtype=self.dtype, device=self.device)

    def _forward(self, ids: Tensor, positions: Tensor, visible: Tensor) -> Tensor:
        rows, new = ids.shape
        end, eps = self.length + new, self.config.rms_norm_eps
        heads, key_heads, width = self.heads, self.key_heads, self.width
        hidden = self.embeddings[ids]
        cos, sin = (x[:, :, None] for x in self.rotary(hidden, positions))  # (rows, new, 1, width)
        half = width // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)  # of a rolled vector: its first half is negated
        for layer, cache in zip(self.layers, self.cache, strict=True):
            x = F.rms_norm(hidden, hidden.shape[-1:], layer["before"], eps)
            qkv = F.linear(x, layer["qkv"]).view(rows, new, heads + 2 * key_heads, width)
            qk, value = qkv.split([heads + key_heads, key_heads], dim=2)
            if layer["of_heads"] is not None:
                qk = F.rms_norm(qk, (width,), None, eps) * layer["of_heads"]
            qk = torch.addcmul(qk * cos, qk.roll(half, -1), sin)
            query, key = qk.split([heads, key_heads], dim=2)
            cache[0][:, :, self.length : end] = key.transpose(1, 2)
            cache[1][:, :, self.length : end] = value.transpose(1, 2)
            keys, values = cache[0][:, :, :end], cache[1][:, :, :end]
            if new == 1:  # query heads that share a key are its queries: no key is repeated
                query = query.reshape(rows, key_heads, heads // key_heads, width)
            else:
                query = query.transpose(1, 2)
                keys, values = (x.repeat_interleave(heads // key_heads, dim=1) for x in (keys, values))
            attended = F.scaled_dot_product_attention(query, keys, values, attn_mask=visible)
            if new > 1:
                attended = attended.transpose(1, 2)
            hidden = hidden + F.linear(attended.reshape(rows, new, heads * width), layer["out"])
            x = F.rms_norm(hidden, hidden.shape[-1:], layer["between"], eps)
            gate, up = F.linear(x, layer["gate_up"]).chunk(2, dim=-1)
            hidden = hidden + F.linear(F.silu(gate) * up, layer["down"])
        last = F.rms_norm(hidden[:, -1], hidden.shape[-1:], self.norm, eps)
        return F.linear(last, self.head).float()
