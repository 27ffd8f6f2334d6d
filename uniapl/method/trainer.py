"""UniAPLTrainer: TRL's GRPOTrainer plus two terms, added by super() and never copied.

Every gradient step sums, on one mixed batch,

    L_GRPO   TRL's loss on the rollouts with the reward's advantage
    L_adv    TRL's loss on the same rollouts and the same forward pass with the discriminator's advantage
    L_SFT    the negative log-likelihood of the step's demonstrations

weighted as uniapl/method/objective.py says. A term of weight 0 is not computed. Its parts are the demonstrations
(demonstrations.py), the discriminator and lambda (adversarial.py), and GRPO itself, which can be resumed (grpo.py).
"""

from collections import defaultdict

import torch
from datasets import Dataset

from uniapl.discriminators import Discriminator
from uniapl.method import objective
from uniapl.method.adversarial import Adversary
from uniapl.method.demonstrations import Demonstrations, NumberedRows, check_rows
from uniapl.method.grpo import GRPO
from uniapl.method.options import UniAPLConfig, check_options


class UniAPLTrainer(NumberedRows, GRPO):
    """`train_dataset` has the columns `prompt` (chat or text) and `demonstration` (text).

    `discriminator` has `score(prompts, references, responses) -> (N,)` floats (uniapl/discriminators); it may be None
    where `lam`, `lam_step` and `lam_penalty` are 0. `demonstrations`, a data set with the same columns, is the stream
    of the demonstration term; without it that is `train_dataset`, and with it rows of `train_dataset` may have None,
    and are then left out of the adversarial term. Raises ValueError at construction for every option that it does not
    honour. A method that chooses what is learned from its own prompts overrides `demonstration_mask`.
    """

    def __init__(
        self,
        *,
        reward_funcs,
        discriminator: Discriminator | None = None,
        args: UniAPLConfig,
        train_dataset: Dataset,
        demonstrations: Dataset | None = None,
        **kwargs,
    ):
        stream = train_dataset if demonstrations is None else demonstrations
        check_options(args)
        for name in ("tools", "environment_factory", "rollout_func"):
            if kwargs.get(name):
                raise ValueError(f"UniAPLTrainer scores single-turn responses and refuses {name}")
        check_rows("train_dataset", train_dataset, needs_demonstration=demonstrations is None or args.own_prompts)
        if demonstrations is not None:
            if args.own_prompts:
                raise ValueError("own_prompts learns train_dataset's demonstrations: leave `demonstrations` out")
            check_rows("demonstrations", demonstrations, needs_demonstration=True)
        scores = max(args.lam, args.lam_step, args.lam_penalty) > 0
        if scores and discriminator is None:
            raise ValueError("UniAPLTrainer needs a discriminator where lam, lam_step or lam_penalty is above 0")
        super().__init__(reward_funcs=reward_funcs, args=args, train_dataset=train_dataset, **kwargs)
        if self._is_vlm or self.aux_loss_enabled:
            raise ValueError("UniAPLTrainer supports dense, text-only policies")
        if self.is_deepspeed_enabled:
            raise ValueError("UniAPLTrainer back-propagates twice per micro-batch, which DeepSpeed's engine cannot")
        if self.model.config.attention_dropout:
            raise ValueError("UniAPLTrainer needs attention_dropout=0, which disable_dropout does not reach")
        shares = self.accelerator.num_processes * args.gradient_accumulation_steps
        if not args.own_prompts and args.demonstrations_per_step % shares:
            raise ValueError(
                f"demonstrations_per_step={args.demonstrations_per_step} must be a multiple of "
                f"processes x gradient_accumulation_steps = {shares}"
            )
        self.adversary = Adversary(discriminator, args, self.accelerator) if scores else None
        limit = args.max_demonstration_length
        self.demonstrations = Demonstrations(self, stream, limit) if args.w_demo > 0 else None

    # What travels with a rollout through TRL's buffer.

    def demonstration_mask(self, inputs: list[dict]) -> torch.Tensor | None:
        """With own_prompts, (n,) above 0 for the rollouts whose prompt's demonstration is learned; None: for all."""

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        if self.adversary and self.model.training:
            references = [row["demonstration"] for row in inputs]
            advantages, metrics = self.adversary.judge(prompts, references, completions)
            self._adversarial_advantages = self.own_rows(advantages, len(inputs))
            for name, value in metrics.items():
                self._metrics["train"][name].append(value)
        return rewards

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return output
        if self.adversary:
            output["adversarial_advantages"] = self._adversarial_advantages
        if self.args.own_prompts and self.demonstrations:
            output |= self.demonstrations.own_columns(inputs, self.demonstration_mask(inputs))
        return output

    # The loss.

    def _compute_loss(self, model, inputs):
        if not self.model.training:
            return super()._compute_loss(model, inputs)
        args = self.args
        mu = objective.mu_schedule(
            self.state.global_step, warmup=args.mu_warmup, decay=args.mu_decay, peak=args.mu_peak, valley=args.mu_valley
        )
        self._metrics["train"]["mu"].append(mu)
        lam = self.adversary.weight if self.adversary else 0.0
        weights = objective.term_weights(w_pref=args.w_pref, w_demo=args.w_demo, mu=mu, lam=lam)
        if not any(weights.values()):
            raise ValueError(f"every term has weight 0 at step {self.state.global_step}: {weights}")
        if not (weights["preference"] or weights["adversarial"]):
            return self._demonstration_loss(model, inputs, weights)
        if not weights["demonstration"]:
            return self._rollout_loss(model, inputs, weights)
        # Both. The demonstrations are back-propagated here, before the rollouts' forward pass, so that never two graphs
        # are in memory (docs/method.md has what it saves). Gradients add up; DDP waits for the caller's backward pass.
        with self.accelerator.no_sync(model):
            demonstrations = self._demonstration_loss(model, inputs, weights)
            with torch.autocast(self.accelerator.device.type, enabled=False):
                self.accelerator.backward(demonstrations)
        return self._rollout_loss(model, inputs, weights) + demonstrations.detach()

    def _demonstration_loss(self, model, inputs, weights) -> torch.Tensor:
        if self.args.own_prompts:
            batch = self.demonstrations.own_batch(inputs)
        else:
            batch = self.demonstrations.stream_batch(self.args.demonstrations_per_step)
        logps = self.demonstrations.logps(model, batch)
        loss = objective.demonstration_loss(logps, batch.response, batch.tokens, self.args.phi)
        return self._weighted_sum({"demonstration": loss}, weights)

    def _rollout_loss(self, model, inputs, weights) -> torch.Tensor:
        """One forward pass over the rollouts, TRL's loss once per advantage; TRL's metrics describe the first."""
        advantages = {"preference": inputs["advantages"], "adversarial": inputs.get("adversarial_advantages")}
        forward, metrics, terms = self.rollout_forward(model, inputs), self._metrics, {}
        try:
            with self.reusing(forward):
                for name in (name for name in advantages if weights[name]):
                    terms[name] = super()._compute_loss(model, {**inputs, "advantages": advantages[name]})
                    self._metrics = {"train": defaultdict(list)}
        finally:
            self._metrics = metrics
        return self._weighted_sum(terms, weights)

    def _weighted_sum(self, terms: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
        """The terms' sum, after logging what each adds up to over the step's micro-batches and processes."""
        for name, term in terms.items():
            share = self.accelerator.gather(term.detach()).mean() * self.current_gradient_accumulation_steps
            self._metrics["train"][f"loss_{name}"].append(share.item())
        return objective.total(terms, weights)

    # Resuming.

    def method_state(self) -> dict:
        return super().method_state() | ({"adversary": self.adversary.state_dict()} if self.adversary else {})

    def load_method_state(self, state: dict) -> None:
        super().load_method_state(state)
        if self.adversary:
            self.adversary.load_state_dict(state["adversary"])
