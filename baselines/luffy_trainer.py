"""LUFFYTrainer: the expert's response joins the group of rollouts as an off-policy member (arXiv 2504.14945).

A_i    = r_i - mean r over the G rollouts and the expert's response, without the std
L      = - sum of A r_t over on-policy tokens - sum of A f(p_t) over expert tokens, f(p) = p / (p + gamma)
"""

import torch
from trl import GRPOConfig

from uniapl.method.demonstrations import Demonstrations, NumberedRows, check_rows
from uniapl.method.grpo import GRPO


def mixed_advantage(reward_N: torch.Tensor, expert_P: torch.Tensor, group: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Advantages of N = P x group rollouts and of P expert responses: reward minus the mean of all group + 1."""
    rewards = torch.cat([reward_N.view(-1, group), expert_P[:, None]], dim=1)
    advantages = rewards - rewards.mean(1, keepdim=True)
    return advantages[:, :-1].flatten(), advantages[:, -1]


def shaped_loss(logp_BT: torch.Tensor, mask_BT: torch.Tensor, advantage_B: torch.Tensor, gamma: float):
    """- sum of A f(p) over response tokens, f(p) = p / (p + gamma); a scalar. No clip: p never exceeds 1."""
    p = logp_BT.where(mask_BT > 0, 0.0).exp()
    return -(advantage_B[:, None] * p / (p + gamma) * mask_BT).sum()


class LUFFYTrainer(NumberedRows, GRPO):
    """GRPOTrainer with one off-policy row per prompt; TRL computes the on-policy loss with our advantages.

    `train_dataset` has prompt, demonstration and what the one reward function reads.
    """

    def __init__(self, *, args: GRPOConfig, gamma: float, train_dataset, **kwargs):
        if gamma <= 0:
            raise ValueError(f"LUFFY needs gamma > 0, got {gamma}")
        check_rows("train_dataset", train_dataset, needs_demonstration=True)
        super().__init__(args=args, train_dataset=train_dataset, **kwargs)
        self.gamma, self.demonstrations = gamma, Demonstrations(self, train_dataset, args.max_completion_length)

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        first = list({row["row"]: row for row in inputs}.values())  # a prompt's expert is rewarded once
        texts = [[{"role": "assistant", "content": row["demonstration"]}] for row in first]
        columns = {name: [row[name] for row in first] for name in first[0] if name != "prompt"}
        expert = self.reward_funcs[0](prompts=[row["prompt"] for row in first], completions=texts, **columns)
        of_row = dict(zip((row["row"] for row in first), expert, strict=True))
        expert = torch.tensor([of_row[row["row"]] for row in inputs], device=rewards.device)
        expert = self.accelerator.gather(expert)[:: self.num_generations]  # a group may lie on several processes
        self._mixed = mixed_advantage(rewards[:, 0], expert, self.num_generations)
        return rewards

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        advantages, expert = self._mixed
        expert = expert.repeat_interleave(self.num_generations)  # TRL shuffles rows: each carries its group's
        output |= self.demonstrations.own_columns(inputs)
        output["advantages"] = self.own_rows(advantages, len(inputs))
        return {**output, "expert_advantages": self.own_rows(expert, len(inputs))}

    def _compute_loss(self, model, inputs):
        loss = super()._compute_loss(model, inputs)
        batch = self.demonstrations.own_batch(inputs)
        rows, place = inputs["row"].unique(return_inverse=True)
        advantages = torch.empty(len(rows), device=rows.device).scatter(0, place, inputs["expert_advantages"])
        logps = self.demonstrations.logps(model, batch)
        longest = len(inputs["row"]) * self.max_completion_length  # dr_grpo's normaliser, for both kinds of rows
        longest = longest * self.current_gradient_accumulation_steps
        return loss + shaped_loss(logps, batch.response, advantages, self.gamma) / longest
