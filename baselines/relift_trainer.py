"""ReLIFTTrainer: GRPO, and SFT on the prompts that it cannot solve (arXiv 2506.07527).

every step      L = GRPO's loss; a prompt whose rollouts all earn 0 enters the buffer with its demonstration
at `size` rows  the first `size` of the buffer leave it, and an optimizer of its own takes one step on

    L_SFT = NLL of these demonstrations per token - entropy_weight x their mean entropy per token

A buffer that never fills is GRPO.
"""

import torch
from transformers import TrainerCallback
from trl import GRPOConfig

from uniapl.method import objective
from uniapl.method.demonstrations import Demonstrations, NumberedRows, check_rows
from uniapl.method.grpo import GRPO


class AfterStep(TrainerCallback):
    """Lets the trainer learn its buffer between an optimizer step and what is logged and saved of it."""

    def __init__(self, trainer: "ReLIFTTrainer"):
        self.trainer = trainer

    def on_step_end(self, args, state, control, **kwargs):
        self.trainer.learn_buffer()


class ReLIFTTrainer(NumberedRows, GRPO):
    """GRPOTrainer with a buffer of unsolved prompts. `train_dataset` has prompt, demonstration and what the one reward
    function reads; a row without a demonstration (None) is never learned from one.

    Raises ValueError for a value out of its range, and a policy that is sharded: the second optimizer reads all of it.
    """

    def __init__(
        self,
        *,
        args: GRPOConfig,
        size: int,
        sft_learning_rate: float,
        sft_max_grad_norm: float,
        entropy_weight: float,
        train_dataset,
        **kwargs,
    ):
        for name, value, low in (("buffer", size, 1), ("entropy_weight", entropy_weight, 0)):
            if not value >= low:
                raise ValueError(f"ReLIFT needs {name} of {low} or more, got {value}")
        for name, value in (("sft_learning_rate", sft_learning_rate), ("sft_max_grad_norm", sft_max_grad_norm)):
            if not value > 0:
                raise ValueError(f"ReLIFT needs {name} above 0, got {value}")
        check_rows("train_dataset", train_dataset, needs_demonstration=False)
        super().__init__(args=args, train_dataset=train_dataset, **kwargs)
        if self.is_deepspeed_enabled or self.is_fsdp_enabled:
            raise ValueError("ReLIFT has a second optimizer, which needs a whole policy in every process: do not shard")
        if size % self.accelerator.num_processes:
            raise ValueError(
                f"ReLIFT's buffer of {size} must be a multiple of {self.accelerator.num_processes} processes"
            )
        self.size, self.sft_max_grad_norm, self.entropy_weight = size, sft_max_grad_norm, entropy_weight
        self.buffer: list[int] = []
        self.demonstrations = Demonstrations(self, train_dataset, args.max_completion_length)
        self.sft_optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=sft_learning_rate, weight_decay=args.weight_decay
        )
        self.add_callback(AfterStep(self))

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        rows = torch.tensor([row["row"] for row in inputs], device=rewards.device)
        of_groups = self.accelerator.gather(rows)[:: self.num_generations].tolist()
        failed = (rewards[:, 0].view(-1, self.num_generations) == 0).all(1).tolist()
        unsolved = [row for row, none in zip(of_groups, failed, strict=True) if none]
        self.buffer += [row for row in unsolved if self.demonstrations.rows[row] is not None]
        return rewards

    def learn_buffer(self) -> None:
        """One step of the second optimizer where the buffer is full; logs what it learned and what is left."""
        logged = {"demonstration_rows": 0.0, "demonstration_tokens": 0.0}
        if len(self.buffer) >= self.size:
            rows, self.buffer = self.buffer[: self.size], self.buffer[self.size :]
            logged = self._sft_step(rows)
        for name, value in (logged | {"buffer": float(len(self.buffer))}).items():
            self._metrics["train"][name].append(value)

    def _sft_step(self, rows: list[int]) -> dict[str, float]:
        """Learn these rows: micro-batches of each process's share, their sums divided by the tokens of all rows."""
        accelerator, device_rows = self.accelerator, self.args.per_device_train_batch_size
        ids = [self.demonstrations.rows[row] for row in rows]
        responses = sum(len(response) for _, response in ids) / accelerator.num_processes  # DDP averages over these
        share = rows[accelerator.process_index :: accelerator.num_processes]
        learned = torch.zeros((), device=accelerator.device)
        for start in range(0, len(share), device_rows):
            batch = self.demonstrations.batch(share[start : start + device_rows], responses)
            logps, entropy = self.demonstrations.forward(self.model_wrapped, batch, compute_entropy=True)
            loss = objective.demonstration_loss(logps, batch.response, batch.tokens)
            learned += loss.detach()
            accelerator.backward(loss - self.entropy_weight * (entropy * batch.response).sum() / batch.tokens)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.sft_max_grad_norm)
        self.sft_optimizer.step()
        self.sft_optimizer.zero_grad()
        return {
            "demonstration_rows": float(len(rows)),
            "demonstration_tokens": float(sum(len(prompt) + len(response) for prompt, response in ids)),
            "loss_demonstration": accelerator.gather(learned).mean().item(),
        }

    # Resuming.

    def method_state(self) -> dict:
        return super().method_state() | {"buffer": self.buffer, "sft_optimizer": self.sft_optimizer.state_dict()}

    def load_method_state(self, state: dict) -> None:
        super().load_method_state(state)
        self.buffer = state["buffer"]
        self.sft_optimizer.load_state_dict(state["sft_optimizer"])
