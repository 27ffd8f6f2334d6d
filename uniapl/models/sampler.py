"""Rollouts where there is no vLLM: one decoding loop over uniapl/models/decoder.py.

Each distinct prompt is read once, its keys and values go to all rows of its group, and rows that ended leave the batch.
A token is drawn from the whole distribution by one uniform number: the first token whose cumulative probability exceeds
it. The distribution is `softmax(logits / temperature)`, as TRL's own path draws it; the draws are others.

On a CPU with several threads the rows are shared among workers, each with threads and random numbers of its own: a
step's products are too small to gain much from a second thread.
"""

import copy
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from uniapl.models.decoder import Decoder

WORKER_ROWS = 16  # at least so many for each worker: every one of them reads all weights at every token
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


def sample(
    decoder: Decoder,
    prompts: list[list[int]],
    limit: int,
    ends: list[int],
    temperature: float = 1.0,
    greedy: bool = False,
) -> Responses:
    """One response of at most `limit` tokens to each prompt, in their order; equal prompts are a group.

    `ends` are the tokens that end a response; `greedy` takes the likeliest token and draws nothing. Draws come from
    torch's global generator, so that a run's seed and a resumed run's random state decide; of several workers' from
    generators that it seeds, so that other numbers of threads draw other tokens of the same distribution.
    """
    how, threads = (limit, ends, temperature, greedy), torch.get_num_threads()
    workers = min(threads, len(prompts) // WORKER_ROWS) if decoder.device.type == "cpu" else 1
    if workers < 2:
        return _sample(decoder, prompts, *how)
    size = math.ceil(len(prompts) / workers)
    shares = [prompts[start : start + size] for start in range(0, len(prompts), size)]
    generators = [torch.Generator().manual_seed(seed) for seed in torch.randint(2**62, (len(shares),)).tolist()]
    torch.set_num_threads(threads // workers)
    try:
        with ThreadPoolExecutor(workers) as pool:
            parts = pool.map(
                lambda share, generator: _sample(copy.copy(decoder), share, *how, generator), shares, generators
            )
            ids, logprobs = zip(*((part.ids, part.logprobs) for part in parts), strict=True)
    finally:
        torch.set_num_threads(threads)
    return Responses(sum(ids, []), sum(logprobs, []))


@torch.no_grad()
def _sample(
    decoder: Decoder,
    prompts: list[list[int]],
    limit: int,
    ends: list[int],
    temperature: float,
    greedy: bool,
    generator: torch.Generator | None = None,
) -> Responses:
    """`sample` by one worker."""
    device = decoder.device
    distinct = list(dict.fromkeys(map(tuple, prompts)))
    place = {prompt: i for i, prompt in enumerate(distinct)}
    owner = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=device)
    longest = max(map(len, distinct))
    padded = torch.tensor([[prompt[0]] * (longest - len(prompt)) + list(prompt) for prompt in distinct], device=device)
    lengths = torch.tensor([len(prompt) for prompt in distinct], device=device)
    mask = torch.arange(longest, device=device)[None] >= longest - lengths[:, None]
    logits = decoder.prefill(padded, mask, owner, limit)

    ids = torch.zeros(len(prompts), limit, dtype=torch.long, device=device)
    logprobs = torch.zeros(len(prompts), limit, device=device)
    sizes = torch.full((len(prompts),), limit, device=device)
    stops = torch.zeros(logits.shape[1], dtype=torch.bool, device=device)
    stops[ends] = True
    rows = torch.arange(len(prompts), device=device)  # the responses that are still in the batch
    ended = torch.zeros(len(rows), dtype=torch.bool, device=device)
    for step in range(limit):
        logits = logits if temperature == 1 else logits / temperature
        if greedy:
            tokens = logits.argmax(-1)
            values = logits.log_softmax(-1).gather(1, tokens[:, None])[:, 0]
        else:
            tokens, values = draw(logits, torch.rand(len(rows), device=device, generator=generator))
        ids[rows, step], logprobs[rows, step] = tokens, values
        ends_now = stops[tokens] & ~ended
        sizes[rows[ends_now]] = step + 1
        ended |= ends_now
        count = int(ended.sum())
        if count == len(rows) or step + 1 == limit:
            break
        if count >= LEAVE * len(rows):
            stay = (~ended).nonzero()[:, 0]
            decoder.keep(stay)
            rows, tokens, ended = rows[stay], tokens[stay], ended[stay]
        logits = decoder.step(tokens)
    decoder.cache = None
    response_lengths = sizes.tolist()
    return Responses(
        [row[:n] for row, n in zip(ids.tolist(), response_lengths, strict=True)],
        [row[:n] for row, n in zip(logprobs.tolist(), response_lengths, strict=True)],
    )
