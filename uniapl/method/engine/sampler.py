"""Rollouts by transformers where there is no vLLM: one decoding loop over a causal language model.

Each distinct prompt is read once, its keys and values go to all rows of its group, and rows that ended leave the batch.
A token is drawn from the whole distribution by one uniform number: the first token whose cumulative probability exceeds
it. The distribution is `softmax(logits / temperature)`, as TRL's own path draws it; the draws are others.

For models that transformers builds as `model.model` and `model.lm_head` (Qwen3, Llama), without sliding windows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache

LEAVE = 0.125  # rows leave when this share of the batch has ended: each leaving copies the cache of those that stay


@dataclass(frozen=True)
class Responses:
    """Token ids of each response, its end token included where it ended, and the log-probability of each token."""

    ids: list[list[int]]
    logprobs: list[list[float]]


def draw(logits: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens (R,) of logits (R, V), float32, by the inverse of the cumulative probability at `uniform` (R,) in [0, 1),
    and their log-probabilities (R,). A token of probability 0 is never drawn.
    """
    highest = logits.amax(-1, keepdim=True)
    cumulative = (logits - highest).exp_().cumsum(-1)
    total = cumulative[:, -1:]
    below = torch.nextafter(total, torch.zeros_like(total))  # a product that rounds up to the total would exceed all
    tokens = torch.searchsorted(cumulative, torch.minimum(uniform[:, None] * total, below), right=True)
    logprobs = logits.gather(1, tokens) - highest - total.log()
    return tokens[:, 0], logprobs[:, 0]


class KeyValues:
    """Keys and values of every layer, (R, key heads, room, width), of which the first `length` are written."""

    def __init__(self, prefilled: DynamicCache, owner: Tensor, room: int):
        self.length = prefilled.get_seq_length()
        self.layers = [
            (self._with_room(layer.keys, owner, room), self._with_room(layer.values, owner, room))
            for layer in prefilled.layers
        ]

    def _with_room(self, prefix: Tensor, owner: Tensor, room: int) -> Tensor:
        own = prefix.new_empty(len(owner), prefix.shape[1], self.length + room, prefix.shape[3])
        own[:, :, : self.length] = prefix[owner]
        return own

    def update(self, key: Tensor, value: Tensor, layer: int, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """transformers' contract of a cache: append, return all. `length` grows with the last layer."""
        own, end = self.layers[layer], self.length + 1
        own[0][:, :, self.length : end] = key
        own[1][:, :, self.length : end] = value
        if layer == len(self.layers) - 1:
            self.length = end
        return own[0][:, :, :end], own[1][:, :, :end]

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these."""
        self.layers = [(key[rows], value[rows]) for key, value in self.layers]


def prefill(model, prompts: list[list[int]]) -> tuple[DynamicCache, Tensor, Tensor]:
    """Cache, mask (U, P), padded on the left, and last hidden state (U, H) of the prompts."""
    longest = max(map(len, prompts))
    padding = [longest - len(prompt) for prompt in prompts]
    ids = torch.tensor([[prompt[0]] * n + prompt for n, prompt in zip(padding, prompts, strict=True)])
    mask = torch.arange(longest)[None] >= torch.tensor(padding)[:, None]
    ids, mask = ids.to(model.device), mask.to(model.device)
    cache = DynamicCache(config=model.config)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    out = model.model(
        input_ids=ids, attention_mask=mask.long(), position_ids=positions, past_key_values=cache, use_cache=True
    )
    return cache, mask, out.last_hidden_state[:, -1]


@torch.no_grad()
def sample(model, prompts: list[list[int]], limit: int, ends: list[int], temperature: float = 1.0) -> Responses:
    """One response of at most `limit` tokens to each prompt, in their order; equal prompts are a group.

    `ends` are the tokens that end a response. Draws from torch's global generator, so that a run's seed and a resumed
    run's random state decide; the model is left in the mode that it was in.
    """
    training = model.training
    model.eval()  # gradient checkpointing forbids a cache while training
    try:
        return _sample(model, prompts, limit, ends, temperature)
    finally:
        model.train(training)


def _sample(model, prompts: list[list[int]], limit: int, ends: list[int], temperature: float) -> Responses:
    device, dtype = model.device, model.lm_head.weight.dtype
    distinct = list(dict.fromkeys(map(tuple, prompts)))
    place = {prompt: i for i, prompt in enumerate(distinct)}
    owner = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=device)
    prefilled, mask, hidden = prefill(model, [list(prompt) for prompt in distinct])
    bias = torch.zeros(len(distinct), 1, 1, mask.shape[1] + limit, dtype=dtype, device=device)
    bias[:, 0, 0, : mask.shape[1]].masked_fill_(~mask, float("-inf"))
    cache, bias, hidden = KeyValues(prefilled, owner, limit), bias[owner], hidden[owner]
    positions = mask.sum(1)[owner]
    stops = torch.tensor(ends, device=device)

    ids = torch.zeros(len(prompts), limit, dtype=torch.long, device=device)
    logprobs = torch.zeros(len(prompts), limit, device=device)
    lengths = torch.full((len(prompts),), limit, device=device)
    rows = torch.arange(len(prompts), device=device)  # of the responses that are still written
    ended = torch.zeros(len(rows), dtype=torch.bool, device=device)
    for step in range(limit):
        logits = model.lm_head(hidden).float()
        if temperature != 1:
            logits = logits / temperature
        tokens, values = draw(logits, torch.rand(len(rows), device=device))
        ids[rows, step], logprobs[rows, step] = tokens, values
        ends_now = torch.isin(tokens, stops) & ~ended
        lengths[rows[ends_now]] = step + 1
        ended = ended | ends_now
        count = int(ended.sum())
        if count == len(rows) or step + 1 == limit:
            break
        if count >= LEAVE * len(rows):
            stay = (~ended).nonzero()[:, 0]
            cache.keep(stay)
            rows, tokens, bias, positions, ended = (x[stay] for x in (rows, tokens, bias, positions, ended))
        hidden = model.model(
            input_ids=tokens[:, None],
            attention_mask=bias[..., : cache.length + 1],
            position_ids=positions[:, None],
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]
        positions = positions + 1
    sizes = lengths.tolist()
    return Responses(
        [row[:n] for row, n in zip(ids.tolist(), sizes, strict=True)],
        [row[:n] for row, n in zip(logprobs.tolist(), sizes, strict=True)],
    )


class Copy:
    """The model that samples: the policy itself, or its copy in bfloat16, with the policy's weights of now."""

    def __init__(self, bfloat16: bool):
        self.bfloat16, self.model = bfloat16, None

    def of(self, policy):
        """The model with the policy's weights. A copy is built at the first call."""
        if not self.bfloat16:
            return policy
        if self.model is None:  # not a deepcopy: accelerate and TRL have patched the policy's forward
            config = type(policy.config).from_dict(policy.config.to_dict())
            config._attn_implementation = policy.config._attn_implementation
            with torch.random.fork_rng():  # its first weights are random, and replaced below
                self.model = type(policy)(config).to(device=policy.device, dtype=torch.bfloat16)
            self.model.requires_grad_(False)
        with torch.no_grad():
            for own, theirs in zip(self.model.parameters(), policy.parameters(), strict=True):
                own.copy_(theirs)
        return self.model
