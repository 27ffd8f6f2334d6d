"""UniAPLTrainer: TRL's GRPOTrainer plus two terms, added by super() and never copied.

Every gradient step sums, on one mixed batch,

    L_GRPO   TRL's loss on the rollouts with the reward's advantage
    L_adv    TRL's loss on the same rollouts and the same forward pass with the discriminator's advantage
    L_SFT    the negative log-likelihood of the step's demonstrations

The discriminator is TRL's last reward function, with weight 0: TRL calls it once per generated batch, gathers it over
processes and logs it, and it cannot enter the reward.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from datasets import IterableDataset
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import RepeatSampler, pad

from uniapl import objective

REQUIRED = {  # option: the only value under which the sum of the three terms is the stated objective
    "beta": 0.0,  # KL would enter twice, once per surrogate
    "entropy_coef": 0.0,  # so would the entropy bonus
    "use_adaptive_entropy": False,
    "temperature": 1.0,  # TRL's head divides logits by it, the demonstrations' too
    "disable_dropout": True,  # the demonstrations' forward pass would draw random numbers
    "top_entropy_quantile": 1.0,  # would mask the surrogates but not the demonstrations
    "use_liger_kernel": False,
    "cast_lm_head_to_fp32": False,
}


@dataclass
class UniAPLConfig(GRPOConfig):
    """GRPOConfig and the weights of the objective: `lam` is lambda; mu follows objective.mu_schedule.

    `demonstrations_per_step` counts rows per optimizer step, over all processes and micro-batches;
    `max_demonstration_length` is in response tokens.
    """

    mu_peak: float = 0.0
    mu_valley: float = 0.0
    mu_warmup: int = 0
    mu_decay: int = 0
    lam: float = 0.0
    demonstrations_per_step: int = 16
    max_demonstration_length: int = 1024
    disable_dropout: bool = True


class EpochSampler(RepeatSampler):
    """TRL's sampler with its order a function of (seed, epoch): else a resumed run would repeat the first epoch."""

    def set_epoch(self, epoch: int) -> None:
        self.generator.manual_seed(self.seed + epoch)


class UniAPLTrainer(GRPOTrainer):
    """`train_dataset` has the columns `prompt` and `demonstration` (a string); `discriminator` has the signature of a
    TRL reward function and finds each rollout's reference in its keyword `demonstration`.

    Raises ValueError at construction for every TRL option that the added terms would not honour.
    """

    def __init__(self, *, reward_funcs, discriminator: Callable, args: UniAPLConfig, train_dataset, **kwargs):
        for name, value in REQUIRED.items():
            if getattr(args, name) != value:
                raise ValueError(f"UniAPLTrainer needs {name}={value!r}, got {getattr(args, name)!r}")
        if args.loss_type == "bnpo":
            raise ValueError("UniAPLTrainer refuses loss_type='bnpo': its terms would depend on the micro-batch size")
        for name in ("tools", "environment_factory", "rollout_func"):
            if kwargs.get(name):
                raise ValueError(f"UniAPLTrainer scores single-turn responses and refuses {name}")
        if isinstance(train_dataset, IterableDataset):
            raise ValueError("UniAPLTrainer needs a map-style train_dataset: it draws demonstrations by index")
        for column in ("prompt", "demonstration"):
            if column not in train_dataset.column_names:
                raise ValueError(f"UniAPLTrainer needs a column {column!r}, found {train_dataset.column_names}")
        reward_funcs = reward_funcs if isinstance(reward_funcs, list) else [reward_funcs]
        args.reward_weights = [*(args.reward_weights or [1.0] * len(reward_funcs)), 0.0]
        super().__init__(reward_funcs=[*reward_funcs, discriminator], args=args, train_dataset=train_dataset, **kwargs)
        if self._is_vlm or self.aux_loss_enabled:
            raise ValueError("UniAPLTrainer supports dense, text-only policies")
        if self.model.config.attention_dropout:
            raise ValueError("UniAPLTrainer needs attention_dropout=0, which disable_dropout does not reach")
        shares = self.accelerator.num_processes * args.gradient_accumulation_steps
        if args.demonstrations_per_step % shares:
            raise ValueError(
                f"demonstrations_per_step={args.demonstrations_per_step} must be a multiple of "
                f"processes x gradient_accumulation_steps = {shares}"
            )
        self._demonstrations = [self._tokenize(row["prompt"], row["demonstration"]) for row in self.train_dataset]
        self._forward = None  # the policy's forward pass over the rollouts of the current micro-batch

    # Demonstrations: drawn per micro-batch, a pure function of (seed, step, share), so resuming needs no state.

    def _tokenize(self, prompt: list[dict], demonstration: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids of the prompt, exactly as rollouts see it, and of the response with all that the template adds."""
        start = self._tokenize_prompts([prompt])[0][0]
        turn = [*prompt, {"role": "assistant", "content": demonstration}]
        full = self._tokenizer.apply_chat_template(turn, return_dict=False)
        if full[: len(start)] != start:
            raise ValueError("the chat template is not prefix-preserving: a demonstration would change its own prompt")
        return torch.tensor(start), torch.tensor(full[len(start) :][: self.args.max_demonstration_length])

    def _demonstration_batch(self):
        """This micro-batch's share of the step's demonstrations: ids, attention mask, response mask, tokens."""
        n, count = len(self._demonstrations), self.args.demonstrations_per_step
        accumulation, processes = self.current_gradient_accumulation_steps, self.accelerator.num_processes
        positions = range(self.state.global_step * count, (self.state.global_step + 1) * count)
        orders = {
            epoch: torch.randperm(n, generator=torch.Generator().manual_seed(self.args.seed * 100_003 + epoch))
            for epoch in {p // n for p in positions}
        }
        rows = [self._demonstrations[orders[p // n][p % n]] for p in positions]
        tokens = sum(len(response) for _, response in rows) / processes  # DDP averages over processes
        share = (self._step % accumulation) * processes + self.accelerator.process_index
        prompts, responses = zip(*rows[share :: accumulation * processes], strict=True)
        sides = (("left", prompts), ("right", responses))
        ids = [pad(list(x), padding_value=self._tokenizer.pad_token_id, padding_side=side) for side, x in sides]
        masks = [pad([torch.ones_like(i) for i in x], padding_value=0, padding_side=side) for side, x in sides]
        device = self.accelerator.device
        return torch.cat(ids, 1).to(device), torch.cat(masks, 1).to(device), masks[1].to(device), tokens

    # The discriminator's advantage travels with its rollout through TRL's buffer.

    def _calculate_rewards(self, *args, **kwargs):
        rewards = super()._calculate_rewards(*args, **kwargs)  # (rows of all processes, functions)
        self._scores = rewards[:, -1].clone()
        if not self._scores.isfinite().all():
            raise ValueError("the discriminator returned a score that is not finite")
        unscored = rewards[:, :-1].isnan().all(dim=1)
        rewards[unscored, -1] = torch.nan  # a rollout without reward stays without reward
        return rewards

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        group = self.num_generations if self.model.training else self.num_generations_eval
        advantages = objective.group_advantage(self._scores, group)
        start = self.accelerator.process_index * len(inputs)
        return {**output, "discriminator_advantages": advantages[start : start + len(inputs)]}

    # The loss.

    def _get_per_token_logps_and_entropies(self, *args, **kwargs):
        return self._forward or super()._get_per_token_logps_and_entropies(*args, **kwargs)

    def _compute_loss(self, model, inputs):
        if not self.model.training:
            return super()._compute_loss(model, inputs)
        ids, mask = (torch.cat([inputs[f"prompt_{x}"], inputs[f"completion_{x}"]], dim=1) for x in ("ids", "mask"))
        metrics = self._metrics
        self._forward = self._get_per_token_logps_and_entropies(
            model, ids, mask, inputs["completion_ids"].size(1), compute_entropy=True
        )
        try:  # one forward pass, two advantages; TRL's metrics describe the first
            preference = super()._compute_loss(model, inputs)
            self._metrics = {"train": defaultdict(list)}
            adversarial = super()._compute_loss(model, {**inputs, "advantages": inputs["discriminator_advantages"]})
        finally:
            self._metrics, self._forward = metrics, None
        ids, mask, response_mask, tokens = self._demonstration_batch()
        logps, _, _ = self._get_per_token_logps_and_entropies(model, ids, mask, response_mask.size(1))
        demonstration = objective.demonstration_loss(logps, response_mask, tokens)
        args = self.args
        mu = objective.mu_schedule(
            self.state.global_step,
            warmup=args.mu_warmup,
            decay=args.mu_decay,
            peak=args.mu_peak,
            valley=args.mu_valley,
        )
        terms = {"preference": preference, "demonstration": demonstration, "adversarial": adversarial}
        for name, term in terms.items():
            share = self.accelerator.gather(term.detach()).mean() * self.current_gradient_accumulation_steps
            self._metrics["train"][f"loss_{name}"].append(share.item())
        self._metrics["train"]["mu"].append(mu)
        demonstration_tokens = self.accelerator.gather(mask.sum()).sum() * self.current_gradient_accumulation_steps
        self._metrics["train"]["demonstration_tokens"].append(demonstration_tokens.item())
        return objective.total(preference, demonstration, adversarial, mu=mu, lam=args.lam)

    # Resuming in the middle of a generated batch, or after the first epoch.

    def _get_train_sampler(self, dataset=None):
        s = super()._get_train_sampler(dataset)
        return EpochSampler(s.data_source, s.mini_repeat_count, s.batch_size, s.repeat_count, s.shuffle, s.seed)

    def _set_signature_columns_if_needed(self):
        super()._set_signature_columns_if_needed()
        if "demonstration" not in self._signature_columns:
            self._signature_columns = [*self._signature_columns, "demonstration"]

    def _rollout_file(self, checkpoint: str) -> str:
        return os.path.join(checkpoint, f"rollouts_{self.accelerator.process_index}.pt")

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        folder = os.path.join(self._get_output_dir(trial=trial), f"checkpoint-{self.state.global_step}")
        torch.save({"step": self._step, "rollouts": self._buffered_inputs}, self._rollout_file(folder))

    def _load_optimizer_and_scheduler(self, checkpoint):
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            saved = torch.load(self._rollout_file(checkpoint), weights_only=True)
            self._step, self._buffered_inputs = saved["step"], saved["rollouts"]
