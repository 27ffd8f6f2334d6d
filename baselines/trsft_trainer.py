"""TrSFT: SFT whose gradient is attenuated where the policy hardly believes a token (TRAPO, arXiv 2512.17636).

gradient of L = - mean over tokens of min(1, p / alpha) grad log p,   p the policy's probability, alpha in (0, 1]

alpha = 1 is DFT's gradient (arXiv 2508.05629); as alpha falls to 0 it becomes SFT's. What is logged as the loss is the
negative log-likelihood, whatever alpha.
"""

import torch

from uniapl.method.sft import SFT


def trust(logp: torch.Tensor, alpha: float) -> torch.Tensor:
    """sg(min(1, p / alpha)) in [0, 1], the weight of a token's gradient; not differentiated."""
    return (logp.detach().exp() / alpha).clamp(max=1.0)


def check_alpha(alpha: float) -> None:
    """Raise ValueError for an alpha that is not in (0, 1]."""
    if not 0 < alpha <= 1:
        raise ValueError(f"TrSFT needs 0 < alpha <= 1, got {alpha}")


class TrSFTTrainer(SFT):
    """trl.SFTTrainer with TrSFT's gradient."""

    def __init__(self, *, alpha: float, **kwargs):
        check_alpha(alpha)
        super().__init__(**kwargs)
        self.alpha = alpha

    def compute_loss(self, model, inputs, *args, **kwargs):
        def attenuated(**columns):
            outputs = model(**columns)
            logp = outputs.log_probs
            weighted = trust(logp, self.alpha) * logp
            outputs.log_probs = logp.detach() + (weighted - weighted.detach())  # its value stays, its gradient does not
            return outputs

        return super().compute_loss(attenuated, inputs, *args, **kwargs)
