"""HPTTrainer: a gate sends each prompt either to its rollouts or to its demonstration (arXiv 2509.04419).

solved = rollouts of the prompt's group whose reward is 1 or more
L      = sum over prompts with solved > gate   of GRPO's loss of their rollouts
       + w x NLL of the demonstrations of the prompts with solved <= gate, per token of these

gate = -1 is GRPO; gate = G is SFT on the step's own prompts; gate = 0 is SuperRL.
"""

import torch
from trl import GRPOConfig

from uniapl.method import objective
from uniapl.method.demonstrations import Demonstrations, NumberedRows, check_rows
from uniapl.method.grpo import GRPO


def gated(reward_N: torch.Tensor, group: int, gate: int) -> torch.Tensor:
    """(N,) True for the rollouts of a prompt of whose `group` rollouts at most `gate` earn a reward of 1 or more."""
    solved = (reward_N.view(-1, group) >= 1).sum(1)
    return (solved <= gate).repeat_interleave(group)


class HPTTrainer(NumberedRows, GRPO):
    """GRPOTrainer whose unsolved prompts are learned from their demonstration.

    `train_dataset` has prompt, demonstration and what the one reward function reads. Raises ValueError for a gate that
    is not in [-1, group], a weight below 0, and a prompt without a demonstration.
    """

    def __init__(self, *, args: GRPOConfig, gate: int, sft_weight: float, train_dataset, **kwargs):
        if not -1 <= gate <= args.num_generations:
            raise ValueError(f"HPT needs gate from -1 to the group's size {args.num_generations}, got {gate}")
        if not sft_weight >= 0:
            raise ValueError(f"HPT needs sft_weight of 0 or more, got {sft_weight}")
        check_rows("train_dataset", train_dataset, needs_demonstration=True)
        super().__init__(args=args, train_dataset=train_dataset, **kwargs)
        self.gate, self.sft_weight = gate, sft_weight
        self.demonstrations = Demonstrations(self, train_dataset, args.max_completion_length)

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        gated_N = gated(rewards[:, 0], self.num_generations, self.gate)
        self._metrics["train"]["gated"].append(gated_N.float().mean().item())
        self._gated = self.own_rows(gated_N, len(inputs))
        return rewards

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        output["advantages"] = output["advantages"].masked_fill(self._gated, 0.0)
        return output | self.demonstrations.own_columns(inputs, self._gated)

    def _compute_loss(self, model, inputs):
        loss = super()._compute_loss(model, inputs)
        batch = self.demonstrations.own_batch(inputs)  # without any, one row of weight 0: a gradient of exactly 0
        logps = self.demonstrations.logps(model, batch)
        learned = objective.demonstration_loss(logps, batch.response, batch.tokens)
        share = self.accelerator.gather(learned.detach()).mean() * self.current_gradient_accumulation_steps
        self._metrics["train"]["loss_demonstration"].append(share.item())
        return loss + self.sft_weight * learned
