"""SRFTTrainer: four losses at once, two of them weighed by entropy (SRFT, arXiv 2506.19767).

    L = - w_demonstration e^(sign H) mean log p(demonstration)                     token mean over the step
        - sum of A f(p_t) over expert tokens                                       LUFFY's, the expert in the group
        - sum of w_correct e^H log p over tokens of correct rollouts               gradient by TRL's loss, whose ratio
        + sum of w_wrong log p over tokens of wrong rollouts                       is 1 on policy

The weights are constants: no gradient runs through H, the mean entropy (nats) of a row's tokens. Sums are divided as
LUFFY's. The sign of H before the likelihood is -1 in the paper and +1 in its authors' code: `entropy_sign`.
"""

import torch
from torch import Tensor

from baselines.luffy_trainer import LUFFYTrainer, shaped_loss
from uniapl.method.objective import demonstration_loss


def row_entropy(entropy_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Mean entropy of each row's response tokens, nats; (B,), detached."""
    mask = (mask_BT > 0).float()
    return (entropy_BT.detach() * mask).sum(1) / mask.sum(1).clamp(min=1)


class SRFTTrainer(LUFFYTrainer):
    """A rollout is correct where its reward is 1. Raises ValueError for a negative weight, and a sign that is none."""

    def __init__(self, *, w_demonstration: float, w_correct: float, w_wrong: float, entropy_sign: int, **kwargs):
        if min(w_demonstration, w_correct, w_wrong) < 0:
            raise ValueError(f"SRFT needs weights >= 0, got {(w_demonstration, w_correct, w_wrong)}")
        if entropy_sign not in (-1, 1):
            raise ValueError(f"SRFT needs entropy_sign -1 or 1, got {entropy_sign!r}")
        super().__init__(**kwargs)
        self.w_demonstration, self.w_correct, self.w_wrong = w_demonstration, w_correct, w_wrong
        self.entropy_sign = entropy_sign

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        self._correct = self.own_rows(rewards[:, 0] == 1, len(inputs))
        return rewards

    def _generate_and_score_completions(self, inputs):
        return {**super()._generate_and_score_completions(inputs), "correct": self._correct}

    def rollout_loss(self, model, inputs):
        forward = self.rollout_forward(model, inputs)
        entropy = row_entropy(forward[1], inputs["completion_mask"])
        advantages = torch.where(inputs["correct"], self.w_correct * entropy.exp(), -self.w_wrong)
        with self.reusing(forward):
            return super().rollout_loss(model, {**inputs, "advantages": advantages})

    def expert_loss(self, model, batch, advantages, inputs):
        self.demonstrations.count(batch)
        logps, entropies = self.demonstrations.forward(model, batch, compute_entropy=True)
        weight = self.w_demonstration * (self.entropy_sign * row_entropy(entropies, batch.response)).exp()
        weighed = weight[:, None] * batch.response
        share = self.accelerator.gather(weighed.sum() / batch.tokens).mean() * self.current_gradient_accumulation_steps
        self._metrics["train"]["weight_demonstration"].append(share.item())
        likelihood = demonstration_loss(logps, weighed, batch.tokens)
        return likelihood + shaped_loss(logps, batch.response, advantages, self.gamma) / self.longest(inputs)
