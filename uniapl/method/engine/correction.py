"""How far the trainer's probability of a sampled token is from the sampler's, and what TRL multiplies its loss with.

TRL 1.16.0 (trl/trainer/grpo_trainer.py, `_generate_and_score_completions`) computes the same ratio and the same
statistics from a forward pass of its own before the loss.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

MODES = ("token_truncate", "token_mask", "sequence_truncate", "sequence_mask")


@dataclass(frozen=True)
class Ratio:
    """pi_trainer / pi_sampler of each token, or of each response, limited: GRPOConfig's vllm_importance_sampling_mode,
    _clip_min and _clip_max. Truncating clamps the ratio (Yao et al. 2025, truncated importance sampling); masking sets
    a ratio outside the limits to 0. A token that the sampler could not score (NaN) counts as equal.
    """

    mode: str
    low: float | None
    high: float | None

    def __post_init__(self):
        if self.mode not in MODES:
            raise ValueError(f"vllm_importance_sampling_mode is {self.mode!r}: choose from {', '.join(MODES)}")

    def __call__(self, gap_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """The ratio (B, T), or (B, 1) of whole responses, of log pi_trainer - log pi_sampler and the mask of tokens."""
        gap = (gap_BT * mask_BT).nan_to_num(nan=0.0)
        ratio = (gap.sum(-1, keepdim=True) if self.mode.startswith("sequence") else gap).exp()
        low, high = self.low, self.high
        if self.mode.endswith("truncate"):
            return ratio if low is None and high is None else ratio.clamp(min=low, max=high)
        outside = torch.zeros_like(ratio, dtype=torch.bool)
        if low is not None:
            outside |= ratio < low
        if high is not None:
            outside |= ratio > high
        return ratio.masked_fill(outside, 0.0)


def statistics(gap_N: Tensor, ratio_N: Tensor, gather: Callable) -> dict[str, float]:
    """Of a step's tokens: mean and highest |log p difference|, and lowest, mean and highest ratio, over processes."""
    known = gap_N[~gap_N.isnan()].abs()
    zero = gap_N.new_zeros(())
    return {
        "sampling_logp_difference/mean": gather(known.mean() if len(known) else zero).mean().item(),
        "sampling_logp_difference/max": gather(known.max() if len(known) else zero).max().item(),
        "importance_sampling_ratio/min": gather(ratio_N.min() if len(ratio_N) else zero).min().item(),
        "importance_sampling_ratio/mean": gather(ratio_N.mean() if len(ratio_N) else zero).mean().item(),
        "importance_sampling_ratio/max": gather(ratio_N.max() if len(ratio_N) else zero).max().item(),
    }
