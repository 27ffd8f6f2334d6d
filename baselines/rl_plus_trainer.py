"""RLPlusTrainer: LUFFY's groups, the expert's tokens weighed by multiple importance sampling (arXiv 2508.00222).

L = L of LUFFY's rollouts - sum of A sqrt(1 - sg p_t) 2 p_t / (p_old,t + (p_old,t + 1) / 2) over expert tokens
"""

import torch

from baselines.luffy_trainer import ExpertInGroup


def exploring_loss(logp_BT, old_BT, mask_BT, advantage_B) -> torch.Tensor:
    """- sum of A sqrt(1 - sg p) 4 p / (3 p_old + 1) over response tokens; a scalar. p = 1 learns nothing."""
    p = logp_BT.where(mask_BT > 0, 0.0).exp()
    unlikely = (1 - p.detach()).clamp(min=0).sqrt()  # rounding lifts p above 1
    return -(advantage_B[:, None] * unlikely * 4 * p / (3 * old_BT.exp() + 1) * mask_BT).sum()


class RLPlusTrainer(ExpertInGroup):
    """p_old is the policy that sampled the group: where rollouts serve several steps, it is kept with them."""

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        if "old_per_token_logps" in output:
            batch = self.demonstrations.own_batch(output)
            with torch.no_grad():
                old, _ = self.demonstrations.forward(self.model, batch)
            output["expert_old_logps"] = old[(output["row"][:, None] == batch.rows).int().argmax(1)]
        return output

    def expert_loss(self, model, batch, advantages, inputs):
        old = logps = self.demonstrations.logps(model, batch)
        if "expert_old_logps" in inputs:
            old = self.demonstrations.per_row(batch, inputs, "expert_old_logps")[:, : logps.size(1)]
        return exploring_loss(logps, old.detach(), batch.response, advantages) / self.longest(inputs)
