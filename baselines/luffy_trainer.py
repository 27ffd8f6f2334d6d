"""LUFFYTrainer: the expert's response joins the group of rollouts as an off-policy member (arXiv 2504.14945).

A_i    = r_i - mean r over the G rollouts and the expert's response, without the std
L      = - sum of A r_t over on-policy tokens - sum of A f(p_t) over expert tokens, f(p) = p / (p + gamma)
"""

import torch
from trl import GRPOConfig, GRPOTrainer

from uniapl.method import demonstrations


def mixed_advantage(reward_N: torch.Tensor, expert_P: torch.Tensor, group: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Advantages of N = P x group rollouts and of P expert responses: reward minus the mean of all group + 1."""
    rewards = torch.cat([reward_N.view(-1, group), expert_P[:, None]], dim=1)
    advantages = rewards - rewards.mean(1, keepdim=True)
    return advantages[:, :-1].flatten(), advantages[:, -1]


def shaped_loss(logp_BT: torch.Tensor, mask_BT: torch.Tensor, advantage_B: torch.Tensor, gamma: float):
    """- sum of A f(p) over response tokens, f(p) = p / (p + gamma); a scalar. No clip: p never exceeds 1."""
    p = logp_BT.where(mask_BT > 0, 0.0).exp()
    return -(advantage_B[:, None] * p / (p + gamma) * mask_BT).sum()


class LUFFYTrainer(GRPOTrainer):
    """GRPOTrainer with one off-policy row per prompt; TRL computes the on-policy loss with our advantages.

    `train_dataset` has prompt, demonstration and what the one reward function reads. Raises ValueError where a step
    is more than one micro-batch of one process: the expert's row must lie beside its whole group.
    """

    def __init__(self, *, args: GRPOConfig, gamma: float, train_dataset, **kwargs):
        if gamma <= 0:
            raise ValueError(f"LUFFY needs gamma > 0, got {gamma}")
        train_dataset = train_dataset.add_column("row", list(range(len(train_dataset))))
        super().__init__(args=args, train_dataset=train_dataset, **kwargs)
        if self.accelerator.num_processes * args.gradient_accumulation_steps * args.steps_per_generation > 1:
            raise ValueError("LUFFYTrainer needs one process, no accumulation and one step per generation")
        texts, self.gamma = (train_dataset["prompt"][:], train_dataset["demonstration"][:]), gamma
        self._expert = demonstrations.tokenize(self, *texts, args.max_completion_length)

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        first = inputs[:: self.num_generations]
        texts = [[{"role": "assistant", "content": row["demonstration"]}] for row in first]
        asked = {name: [row[name] for row in first] for name in first[0] if name != "prompt"}
        expert = self.reward_funcs[0](prompts=[row["prompt"] for row in first], completions=texts, **asked)
        expert = torch.tensor(expert, device=rewards.device)
        self._mixed = mixed_advantage(rewards[:, 0], expert, self.num_generations)
        return rewards

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        own, expert = self._mixed
        rows = torch.tensor([row["row"] for row in inputs], device=own.device)
        expert = expert.repeat_interleave(self.num_generations)  # TRL shuffles rows: each carries its group's
        return {**output, "advantages": own, "row": rows, "expert_advantages": expert}

    def _compute_loss(self, model, inputs):
        loss = super()._compute_loss(model, inputs)
        rows, place = inputs["row"].unique(return_inverse=True)
        advantages = torch.empty(len(rows), device=rows.device).scatter(0, place, inputs["expert_advantages"])
        longest = len(inputs["row"]) * self.max_completion_length  # dr_grpo's normaliser, for both kinds of rows
        chosen = [self._expert[i] for i in rows.tolist()]
        batch = demonstrations.collate(chosen, longest, self._tokenizer.pad_token_id, self.accelerator.device)
        logps, _, _ = self._get_per_token_logps_and_entropies(model, batch.ids, batch.attention, batch.response.size(1))
        self._metrics["train"]["demonstration_tokens"].append(batch.attention.sum().item())
        return loss + shaped_loss(logps, batch.response, advantages, self.gamma) / batch.tokens
