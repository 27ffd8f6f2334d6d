"""LUFFYTrainer: the expert's response joins the group of rollouts as an off-policy member (arXiv 2504.14945).

A_i    = r_i - mean r over the G rollouts and the expert's response, without the std
L      = - sum of A r_t over on-policy tokens - sum of A f(p_t) over expert tokens, f(p) = p / (p + gamma)

A method with another loss on the expert's tokens, or on the rollouts, overrides `expert_loss` or `rollout_loss`.
"""

import torch
from torch import Tensor
from trl import GRPOConfig

from uniapl.method.demonstrations import Batch, Demonstrations, NumberedRows, check_rows
from uniapl.method.grpo import GRPO


def mixed_advantage(reward_N: Tensor, expert_P: Tensor, group: int) -> tuple[Tensor, Tensor]:
    """Advantages of N = P x group rollouts and of P expert responses: reward minus the mean of all group + 1.

    An expert's reward of NaN says that the group has no expert: the mean is that of the rollouts, its advantage 0."""
    rewards = torch.cat([reward_N.view(-1, group), expert_P[:, None]], dim=1)
    advantages = rewards - rewards.nanmean(1, keepdim=True)
    return advantages[:, :-1].flatten(), advantages[:, -1].nan_to_num(0.0)


def shaped_loss(logp_BT: Tensor, mask_BT: Tensor, advantage_B: Tensor, gamma: float) -> Tensor:
    """- sum of A f(p) over response tokens, f(p) = p / (p + gamma); a scalar. No clip: p never exceeds 1."""
    p = logp_BT.where(mask_BT > 0, 0.0).exp()
    return -(advantage_B[:, None] * p / (p + gamma) * mask_BT).sum()


class ExpertInGroup(NumberedRows, GRPO):
    """GRPOTrainer with one off-policy row per prompt; TRL computes the on-policy loss with our advantages.

    `train_dataset` has prompt, demonstration and what the one reward function reads.
    """

    def __init__(self, *, args: GRPOConfig, train_dataset, **kwargs):
        check_rows("train_dataset", train_dataset, needs_demonstration=True)
        super().__init__(args=args, train_dataset=train_dataset, **kwargs)
        self.demonstrations = Demonstrations(self, train_dataset, args.max_completion_length)

    def has_expert(self, inputs: list[dict]) -> Tensor:
        """(n,), whether the group of each rollout has the expert as a member; alike within a group. Of LUFFY all."""
        return torch.ones(len(inputs), dtype=torch.bool, device=self.accelerator.device)

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        first = list({row["row"]: row for row in inputs}.values())  # a prompt's expert is rewarded once
        texts = [[{"role": "assistant", "content": row["demonstration"]}] for row in first]
        columns = {name: [row[name] for row in first] for name in first[0] if name != "prompt"}
        expert = self.reward_funcs[0](prompts=[row["prompt"] for row in first], completions=texts, **columns)
        of_row = dict(zip((row["row"] for row in first), expert, strict=True))
        expert = torch.tensor([of_row[row["row"]] for row in inputs], device=rewards.device)
        expert = expert.where(self.has_expert(inputs), torch.nan)
        expert = self.accelerator.gather(expert)[:: self.num_generations]  # a group may lie on several processes
        self._mixed = mixed_advantage(rewards[:, 0], expert, self.num_generations)
        return rewards

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        advantages, expert = self._mixed
        expert = expert.repeat_interleave(self.num_generations)  # TRL shuffles rows: each carries its group's
        output |= self.demonstrations.own_columns(inputs, self.has_expert(inputs))
        output["advantages"] = self.own_rows(advantages, len(inputs))
        return {**output, "expert_advantages": self.own_rows(expert, len(inputs))}

    def _compute_loss(self, model, inputs):
        loss = self.rollout_loss(model, inputs)
        batch = self.demonstrations.own_batch(inputs)
        advantages = self.demonstrations.per_row(batch, inputs, "expert_advantages")
        return loss + self.expert_loss(model, batch, advantages, inputs)

    def rollout_loss(self, model, inputs: dict) -> Tensor:
        """The loss on the micro-batch's rollouts: TRL's."""
        return super()._compute_loss(model, inputs)

    def expert_loss(self, model, batch: Batch, advantages: Tensor, inputs: dict) -> Tensor:
        """The loss on the experts of the micro-batch's groups, whose advantages (B,) are given."""
        raise NotImplementedError  # each method of this kind has its own: luffy, rl_plus, srft

    def longest(self, inputs: dict) -> int:
        """dr_grpo's normaliser, for both kinds of rows: the step's rollouts x the longest response."""
        return len(inputs["row"]) * self.max_completion_length * self.current_gradient_accumulation_steps


class LUFFYTrainer(ExpertInGroup):
    """The expert's tokens weighed by f. Raises ValueError for a gamma that is not above 0."""

    def __init__(self, *, gamma: float, **kwargs):
        if gamma <= 0:
            raise ValueError(f"LUFFY needs gamma > 0, got {gamma}")
        super().__init__(**kwargs)
        self.gamma = gamma

    def expert_loss(self, model, batch, advantages, inputs):
        logps = self.demonstrations.logps(model, batch)
        return shaped_loss(logps, batch.response, advantages, self.gamma) / self.longest(inputs)
