"""Discriminators that know nothing of the expert's style: what of an effect is left with them is not the style's."""

import hashlib
import json
from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor


@dataclass(frozen=True)
class Random:
    """Standard normal noise, a pure function of (seed, prompt, response): a resumed run meets the same scores."""

    seed: int

    def score(self, prompts: list[str], references: list[str], responses: list[str]) -> Tensor:
        """Scores (N,); the reference is not read."""
        return torch.tensor([self._normal(p, y) for p, _, y in zip(prompts, references, responses, strict=True)])

    def _normal(self, prompt: str, response: str) -> float:
        text = json.dumps([self.seed, prompt, response])
        bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 12  # 52 bits: exact with the half
        return NormalDist().inv_cdf((bits + 0.5) / 2**52)


@dataclass(frozen=True)
class Length:
    """Minus the absolute difference in words from the reference: all that a discriminator needs to know of length."""

    def score(self, prompts: list[str], references: list[str], responses: list[str]) -> Tensor:
        """Scores (N,), in words, at most 0."""
        differences = [
            abs(len(y.split()) - len(r.split())) for _, r, y in zip(prompts, references, responses, strict=True)
        ]
        return -torch.tensor(differences, dtype=torch.float32)
