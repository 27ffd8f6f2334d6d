"""PrefixRFTTrainer: the last rollout of each group continues a part of the demonstration (arXiv 2507.01679v3).

l      ~ U(low(t), high) of the demonstration's tokens; low falls from `high` to `low_end` as a half cosine
A_i    = r_i - mean r over the group, the continued rollout among them
L      = GRPO's loss, A at every own token; of the prefix, A at the `top_entropy` share of tokens with most entropy, 0
         elsewhere

No prefix is GRPO. A whole demonstration, all of its tokens kept, is LUFFY with the ratio p / sg(p) on expert tokens.
"""

import random

import torch
from torch import Tensor

from uniapl.method import objective
from uniapl.method.prefixes import Prefixed


def kept_tokens(entropy_BT: Tensor, prefix_BT: Tensor, share: float) -> Tensor:
    """(B, T) True for a response's own tokens, and for the `share`, rounded up, of its prefix with most entropy.

    Of each row by itself: the share of a micro-batch, which the authors' code takes, depends on the layout.
    """
    entropy = entropy_BT.detach().masked_fill(~prefix_BT, -torch.inf)
    rank = entropy.argsort(dim=1, descending=True).argsort(dim=1)
    return ~prefix_BT | (rank < (prefix_BT.sum(1, keepdim=True) * share).ceil())


class PrefixRFTTrainer(Prefixed):
    """GRPOTrainer with one continued demonstration in every group.

    Raises ValueError for shares that are not 0 <= low_end <= high <= 1, and a `top_entropy` outside [0, 1].
    """

    def __init__(self, *, high: float, low_end: float, decay: int, top_entropy: float, **kwargs):
        if not 0 <= low_end <= high <= 1:
            raise ValueError(f"Prefix-RFT needs 0 <= low_end <= high <= 1, got low_end={low_end}, high={high}")
        if not 0 <= top_entropy <= 1:
            raise ValueError(f"Prefix-RFT needs top_entropy from 0 to 1, got {top_entropy}")
        super().__init__(**kwargs)
        self.high, self.low_end, self.decay, self.top_entropy = high, low_end, decay, top_entropy

    def prefix_lengths(self, rows, places):
        step = self.state.global_step
        low = objective.mu_schedule(step, warmup=0, decay=self.decay, peak=self.high, valley=self.low_end)
        self._metrics["train"]["prefix_low"].append(low)
        lengths = []
        for row, place in zip(rows, places, strict=True):
            drawn = random.Random(str((self.args.seed, step, row))).uniform(low, self.high)
            last = place == self.num_generations - 1
            lengths.append(int(drawn * len(self.demonstrations.rows[row][1])) if last else 0)
        return lengths

    def _compute_loss(self, model, inputs):
        forward = self.rollout_forward(model, inputs)
        kept = kept_tokens(forward[1], self.prefix_mask(inputs), self.top_entropy)
        with self.reusing(forward):
            return super()._compute_loss(model, {**inputs, "advantages": inputs["advantages"][:, None] * kept})
