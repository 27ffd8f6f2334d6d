"""A world of a few rows and a model of a few thousand parameters, for tests that train."""

import functools
import random

import torch

from uniapl.data.miniature.model import Size, build_policy, build_tokenizer
from uniapl.data.miniature.rows import BENCHMARKS, prompts_with_expert
from uniapl.models.checkpoints import messages

SIZE = Size(vocabulary=500, hidden=32, layers=2, heads=2, head=16, intermediate=48)


@functools.cache
def rows(n: int = 24) -> tuple[dict, ...]:
    """Training prompts with the expert's response."""
    return tuple(prompts_with_expert(n, 0, next(iter(BENCHMARKS)), random.Random(0), set()))


@functools.cache
def tokenizer():
    return build_tokenizer([row["prompt"] + "\n" + row["response"] for row in rows()], SIZE)


def policy(seed: int = 0):
    """A fresh random policy; equal seeds give equal weights."""
    return build_policy(tokenizer(), SIZE, seed)


def chats(n: int = 24) -> list[dict]:
    """Rows in the form that UniAPLTrainer reads."""
    return [{"prompt": messages(row["prompt"]), "demonstration": row["response"]} for row in rows(n)]


def words(completions, **_):
    """A reward that random weights can earn: the number of distinct characters, scaled."""
    return [len(set(c[0]["content"])) / 10 for c in completions]


def nearness(reference: str, response: str) -> float:
    """A stand-in for a discriminator: nearness to the reference's length. Draws no random number."""
    return -abs(len(response) - len(reference)) / 10


class Scorer:
    """A discriminator that scores every pair with `of(reference, response)`; `calls` counts them."""

    def __init__(self, of):
        self.of, self.calls = of, 0

    def score(self, prompts, references, responses):
        self.calls += 1
        return torch.tensor([self.of(*pair) for pair in zip(references, responses, strict=True)])


def weights(model) -> torch.Tensor:
    """All parameters as one vector."""
    whole = (p.detach().full_tensor() if hasattr(p, "full_tensor") else p.detach() for p in model.parameters())
    return torch.cat([p.flatten() for p in whole])


def texts(n=6):
    """Prompts, references and responses of n rows; a response is half of its reference."""
    found = rows()[:n]
    return [r["prompt"] for r in found], [r["response"] for r in found], [r["response"][::2] for r in found]
