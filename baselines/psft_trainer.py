"""PSFTTrainer: PPO's clipped surrogate with advantage 1 on the tokens of demonstrations (arXiv 2508.17784).

    L   = - sum over response tokens of min(r_t, clip(r_t, 1 - eps, 1 + eps)) / tokens of the step
    r_t = p_t / p_old,t        pi_old: the policy at the start of a batch of `mini_batches` steps

With advantage 1 the minimum is min(r_t, 1 + eps): a token that has gained enough in this batch stops to learn. At the
first step of a batch r is 1 and the gradient is SFT's: with one mini-batch per batch PSFT is SFT under another name.
"""

import torch
from torch.func import functional_call

from uniapl.method.sft import SFT


def clipped_ratio(logp_BT: torch.Tensor, old_BT: torch.Tensor, clip: float) -> torch.Tensor:
    """min(r, 1 + clip) of each token, r = p / p_old; (B, T). No gradient above 1 + clip."""
    return (logp_BT - old_BT).exp().clamp(max=1 + clip)


class PSFTTrainer(SFT):
    """SFT whose loss reads clipped ratios in the place of log-probabilities: normaliser and scaling are TRL's.

    It keeps one more copy of the weights, those of the start of the batch. Raises ValueError for `mini_batches` below
    1, a `clip` that is not above 0, and sharded weights.
    """

    def __init__(self, *, mini_batches: int, clip: float, **kwargs):
        if mini_batches < 1 or clip <= 0:
            raise ValueError(f"PSFT needs mini_batches >= 1 and clip > 0, got {mini_batches} and {clip}")
        super().__init__(**kwargs)
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            raise ValueError("PSFT keeps a copy of whole weights, which FSDP and DeepSpeed shard: run it without")
        self.mini_batches, self.clip = mini_batches, clip
        self._old: dict[str, torch.Tensor] = {}  # weights of pi_old, from the batch's first step on
        self._old_since = -1

    def _old_logps(self, model, options: dict, logps: torch.Tensor) -> torch.Tensor:
        """log p of the same tokens under pi_old, without gradient; `logps` themselves while the policy is pi_old."""
        policy, step = self.accelerator.unwrap_model(model), self.state.global_step
        if step % self.mini_batches == 0:
            if self.mini_batches > 1 and self._old_since != step:
                self._old, self._old_since = {name: p.detach().clone() for name, p in policy.named_parameters()}, step
            return logps.detach()
        with torch.no_grad(), self.accelerator.autocast():
            return functional_call(policy, self._old, kwargs=options).log_probs

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if not self.model.training:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

        def surrogate(**options):
            outputs = model(**options)
            old = self._old_logps(model, options, outputs.log_probs)
            ratio = clipped_ratio(outputs.log_probs, old, self.clip) * outputs.label_mask
            clipped = (ratio.detach() >= 1 + self.clip).sum() * self.current_gradient_accumulation_steps
            share = self.accelerator.gather(clipped).sum() / num_items_in_batch
            self._metrics["train"]["ratio_clipped"].append(share.item())
            outputs.log_probs = ratio
            return outputs

        return super().compute_loss(surrogate, inputs, return_outputs, num_items_in_batch)

    def method_state(self) -> dict:
        inside = self.state.global_step % self.mini_batches  # at a batch's end pi_old is about to change
        return super().method_state() | {"old": self._old if inside else {}}

    def load_method_state(self, state: dict) -> None:
        super().load_method_state(state)
        device = self.accelerator.device
        self._old = {name: weights.to(device) for name, weights in state["old"].items()}
