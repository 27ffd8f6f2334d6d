"""UniAPLTrainer: TRL's GRPOTrainer plus two terms, added by super() and never copied.

Every gradient step sums, on one mixed batch,

    L_GRPO   TRL's loss on the rollouts with the reward's advantage
    L_adv    TRL's loss on the same rollouts and the same forward pass with the discriminator's advantage
    L_SFT    the negative log-likelihood of the step's demonstrations

weighted as uniapl/method/objective.py says. A term of weight 0 is not computed.
"""

import os
from collections import defaultdict
from dataclasses import dataclass

import torch
from accelerate.utils import gather_object
from datasets import Dataset, IterableDataset
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import RepeatSampler

from uniapl.discriminators import Discriminator, Learner, checked
from uniapl.method import demonstrations as demos
from uniapl.method import objective

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
RANGES = {  # option: lowest and highest value
    "w_pref": (0, float("inf")),
    "w_demo": (0, float("inf")),
    "lam": (0, float("inf")),
    "lam_step": (0, float("inf")),
    "lam_penalty": (0, float("inf")),
    "eps": (float("-inf"), float("inf")),
    "distance_decay": (0, 1 - 1e-9),
    "mu_peak": (0, 1),
    "mu_valley": (0, 1),
    "mu_warmup": (0, float("inf")),
    "mu_decay": (0, float("inf")),
    "phi": (0, float("inf")),
    "adversarial_clip": (0, float("inf")),
    "demonstrations_per_step": (1, float("inf")),
    "max_demonstration_length": (1, float("inf")),
    "num_generations": (2, float("inf")),  # a group of 1 has no advantage
    "max_completion_length": (1, float("inf")),
}


@dataclass
class UniAPLConfig(GRPOConfig):
    """GRPOConfig and the weights of the objective (uniapl/method/objective.py has the equations).

    `lam` is lambda; with `lam_step` > 0 it is the start of the dual variable of d <= `eps`, where d is the running
    mean of the distance, and `lam_penalty` > 0 damps it. `adversarial_ddof` and `adversarial_clip` normalise the
    discriminator's score; `phi` = 1 weighs demonstration tokens by CHORD's p(1-p). `demonstrations_per_step` counts
    rows per optimizer step, over all processes and micro-batches; with `own_prompts` a step learns the demonstrations
    of its own prompts instead. `max_demonstration_length` is in response tokens; None cuts none.
    """

    w_pref: float = 1.0
    w_demo: float = 1.0
    mu_peak: float = 0.0
    mu_valley: float = 0.0
    mu_warmup: int = 0
    mu_decay: int = 0
    phi: float = 0.0
    lam: float = 0.0
    lam_step: float = 0.0
    lam_penalty: float = 0.0
    eps: float = 0.0
    distance_decay: float = 0.9
    adversarial_ddof: int | None = 1
    adversarial_clip: float = float("inf")
    demonstrations_per_step: int = 16
    own_prompts: bool = False
    max_demonstration_length: int | None = None
    disable_dropout: bool = True


def check_options(args: UniAPLConfig) -> None:
    """Raise ValueError for an option out of its range, or one that the added terms would not honour."""
    for name, value in REQUIRED.items():
        if getattr(args, name) != value:
            raise ValueError(f"UniAPLTrainer needs {name}={value!r}, got {getattr(args, name)!r}")
    for name, (low, high) in RANGES.items():
        value = getattr(args, name)
        if not (value is None and name == "max_demonstration_length") and not low <= value <= high:
            raise ValueError(f"UniAPLTrainer needs {name} in [{low}, {high}], got {getattr(args, name)!r}")
    if args.adversarial_ddof not in (0, 1, None):
        raise ValueError(f"UniAPLTrainer needs adversarial_ddof 0, 1 or None, got {args.adversarial_ddof!r}")
    if args.loss_type == "bnpo":
        raise ValueError("UniAPLTrainer refuses loss_type='bnpo': its terms would depend on the micro-batch size")


def check_rows(name: str, dataset: Dataset, needs_demonstration: bool) -> None:
    """Raise ValueError where the data set has no column prompt or demonstration, or a row's demonstration is empty.

    A row may lack its demonstration (None) where `needs_demonstration` is False.
    """
    if isinstance(dataset, IterableDataset):
        raise ValueError(f"UniAPLTrainer needs a map-style {name}: it draws demonstrations by index")
    for column in ("prompt", "demonstration"):
        if column not in dataset.column_names:
            raise ValueError(f"UniAPLTrainer needs a column {column!r} in {name}, found {dataset.column_names}")
    for row, text in enumerate(dataset["demonstration"]):
        if text is None and needs_demonstration:
            raise ValueError(f"{name}, row {row}: no demonstration; pass those that exist as `demonstrations=`")
        if text is not None and not text.strip():
            raise ValueError(f"{name}, row {row}: the demonstration is empty")


def text_of(messages) -> str:
    """The text that a discriminator reads: contents joined by newlines, without roles, as POLAR joins them."""
    return messages if isinstance(messages, str) else "\n".join(message["content"] for message in messages)


class EpochSampler(RepeatSampler):
    """TRL's sampler with its order a function of (seed, epoch): else a resumed run would repeat the first epoch."""

    def set_epoch(self, epoch: int) -> None:
        self.generator.manual_seed(self.seed + epoch)


class UniAPLTrainer(GRPOTrainer):
    """`train_dataset` has the columns `prompt` (chat or text) and `demonstration` (text).

    `discriminator` has `score(prompts, references, responses) -> (N,)` floats (uniapl/discriminators); it may be None
    where `lam`, `lam_step` and `lam_penalty` are 0. `demonstrations`, a data set with the same columns, is the stream
    of the demonstration term; without it that is `train_dataset`, and with it rows of `train_dataset` may have None,
    and are then left out of the adversarial term. Raises ValueError at construction for every option that it does not
    honour.
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
        self._scoring = max(args.lam, args.lam_step, args.lam_penalty) > 0
        if self._scoring and discriminator is None:
            raise ValueError("UniAPLTrainer needs a discriminator where lam, lam_step or lam_penalty is above 0")
        train_dataset = train_dataset.add_column("row", list(range(len(train_dataset))))
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
        self.discriminator, self.lam, self.distance_mean = discriminator, args.lam, None
        self._demonstrations = []
        if args.w_demo > 0:
            texts, limit = (stream["prompt"][:], stream["demonstration"][:]), args.max_demonstration_length
            self._demonstrations = demos.tokenize(self, *texts, limit)
        self._expert_scores: dict[tuple[str, str], float] = {}  # of a discriminator that does not learn: constants
        self._forward = None  # the policy's forward pass over the rollouts of the current micro-batch

    # Demonstrations.

    def _demonstration_batch(self, inputs) -> demos.Batch:
        """This micro-batch's share of the step's demonstrations."""
        accumulation, processes = self.current_gradient_accumulation_steps, self.accelerator.num_processes
        pad, device = self._tokenizer.pad_token_id, self.accelerator.device
        if self.args.own_prompts:
            rows, counts = inputs["row"].unique(return_counts=True)
            window = accumulation / self.args.steps_per_generation / processes
            tokens = inputs["own_demonstration_tokens"].item() * window
            batch = demos.collate([self._demonstrations[i] for i in rows.tolist()], tokens, pad, device)
            shares = counts[:, None] / self.num_generations  # a group may be split over micro-batches
            return demos.Batch(batch.ids, batch.attention, batch.response * shares.to(device), tokens)
        count, step = self.args.demonstrations_per_step, self.state.global_step
        chosen = demos.of_step(len(self._demonstrations), count, step, self.args.seed)
        rows = [self._demonstrations[i] for i in chosen]
        tokens = sum(len(response) for _, response in rows) / processes  # DDP averages over processes
        share = (self._step % accumulation) * processes + self.accelerator.process_index
        return demos.collate(rows[share :: accumulation * processes], tokens, pad, device)

    # The discriminator's advantage travels with its rollout through TRL's buffer.

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        if self._scoring and self.model.training:
            texts = (
                [text_of(p) for p in prompts],
                [r["demonstration"] for r in inputs],
                [text_of(c) for c in completions],
            )
            self._adversarial_advantages = self._discriminate(*texts)
        return rewards

    def _discriminate(self, prompts: list[str], references: list[str | None], responses: list[str]):
        """Advantages (n,) of this process's rollouts under the discriminator; updates lambda, logs the distance."""
        known = [i for i, reference in enumerate(references) if reference is not None]
        asked = [(prompts[i], references[i], responses[i]) for i in known]
        pairs = dict.fromkeys((prompt, reference) for prompt, reference, _ in asked)
        new = [pair for pair in pairs if pair not in self._expert_scores]
        rows = [*asked, *((p, r, r) for p, r in new)]  # together, so that an expert shares its group's prefix
        scores = torch.full((len(prompts),), torch.nan)
        expert_scores = scores.clone()
        if rows:
            found = checked(self.discriminator.score(*map(list, zip(*rows, strict=True))), len(rows))
            scores[known] = found[: len(asked)]
            self._expert_scores |= zip(new, found[len(asked) :].tolist(), strict=True)
            expert_scores[known] = torch.tensor([self._expert_scores[p, r] for p, r, _ in asked])
        device = self.accelerator.device
        scores, expert_scores = (self.accelerator.gather(x.to(device)) for x in (scores, expert_scores))
        seen = scores.isfinite()
        metrics = self._metrics["train"]
        if seen.any():
            distance = objective.distance(expert_scores[seen], scores[seen])
            self.distance_mean = objective.running_mean(self.distance_mean, distance, self.args.distance_decay)
            self.lam = objective.dual_update(
                self.lam, self.distance_mean, eps=self.args.eps, step_size=self.args.lam_step
            )
            metrics["score"].append(scores[seen].mean().item())
            metrics["distance"].append(distance)
            metrics["distance_mean"].append(self.distance_mean)
            metrics["auc"].append(objective.auc(expert_scores[seen], scores[seen]))
        metrics["lam"].append(self.adversarial_weight)
        if isinstance(self.discriminator, Learner):
            of_all = gather_object(asked)  # every process learns from all rows, and so stays equal
            learned = self.discriminator.learn(*map(list, zip(*of_all, strict=True))) if of_all else {}
            for name, value in learned.items():
                metrics[name].append(value)
            self._expert_scores.clear()
        advantages = objective.group_advantage(
            scores.nan_to_num(0.0),
            self.num_generations,
            ddof=self.args.adversarial_ddof,
            clip=self.args.adversarial_clip,
        )
        return advantages[self.accelerator.process_index * len(prompts) :][: len(prompts)]

    @property
    def adversarial_weight(self) -> float:
        """lambda as it enters the loss: the dual variable and its damping."""
        a = self.args
        return objective.multiplier(self.lam, self.distance_mean, eps=a.eps, penalty=a.lam_penalty)

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return output
        rows = torch.tensor([row["row"] for row in inputs], device=self.accelerator.device)
        output = {**output, "row": rows}
        if self._scoring:
            output["adversarial_advantages"] = self._adversarial_advantages
        if self.args.own_prompts and self._demonstrations:
            lengths = [len(self._demonstrations[row["row"]][1]) for row in inputs]
            tokens = torch.tensor(sum(lengths) / self.num_generations, device=rows.device)
            output["own_demonstration_tokens"] = self.accelerator.gather(tokens).sum()
        return output

    # The loss.

    def _get_per_token_logps_and_entropies(self, *args, **kwargs):
        return self._forward or super()._get_per_token_logps_and_entropies(*args, **kwargs)

    def _compute_loss(self, model, inputs):
        if not self.model.training:
            return super()._compute_loss(model, inputs)
        a = self.args
        mu = objective.mu_schedule(
            self.state.global_step, warmup=a.mu_warmup, decay=a.mu_decay, peak=a.mu_peak, valley=a.mu_valley
        )
        self._metrics["train"]["mu"].append(mu)
        weights = objective.term_weights(w_pref=a.w_pref, w_demo=a.w_demo, mu=mu, lam=self.adversarial_weight)
        passes = []
        if weights["demonstration"]:
            passes.append(self._demonstration_terms)
        if weights["preference"] or weights["adversarial"]:
            passes.append(self._rollout_terms)
        if not passes:
            raise ValueError(f"every term has weight 0 at step {self.state.global_step}: {weights}")
        done = 0.0
        for terms_of in passes[:-1]:  # one graph alive at a time; docs/method.md has what it costs and saves
            with self.accelerator.no_sync(model):
                loss = objective.total(terms_of(model, inputs, weights), weights)
                with torch.autocast(self.accelerator.device.type, enabled=False):
                    self.accelerator.backward(loss)
            done = done + loss.detach()
        return objective.total(passes[-1](model, inputs, weights), weights) + done

    def _demonstration_terms(self, model, inputs, weights) -> dict[str, torch.Tensor]:
        batch = self._demonstration_batch(inputs)
        logps, _, _ = self._get_per_token_logps_and_entropies(model, batch.ids, batch.attention, batch.response.size(1))
        loss = objective.demonstration_loss(logps, batch.response, batch.tokens, self.args.phi)
        seen = self.accelerator.gather(batch.attention.sum()).sum() * self.current_gradient_accumulation_steps
        self._metrics["train"]["demonstration_tokens"].append(seen.item())
        return self._logged({"demonstration": loss})

    def _rollout_terms(self, model, inputs, weights) -> dict[str, torch.Tensor]:
        """One forward pass over the rollouts, TRL's loss once per advantage; TRL's metrics describe the first."""
        advantages = {"preference": inputs["advantages"], "adversarial": inputs.get("adversarial_advantages")}
        ids, mask = (torch.cat([inputs[f"prompt_{x}"], inputs[f"completion_{x}"]], dim=1) for x in ("ids", "mask"))
        self._forward = self._get_per_token_logps_and_entropies(
            model, ids, mask, inputs["completion_ids"].size(1), compute_entropy=True
        )
        metrics, terms = self._metrics, {}
        try:
            for name in (name for name in advantages if weights[name]):
                terms[name] = super()._compute_loss(model, {**inputs, "advantages": advantages[name]})
                self._metrics = {"train": defaultdict(list)}
        finally:
            self._metrics, self._forward = metrics, None
        return self._logged(terms)

    def _logged(self, terms: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The terms, after logging what each adds up to over the step's micro-batches and processes."""
        for name, term in terms.items():
            share = self.accelerator.gather(term.detach()).mean() * self.current_gradient_accumulation_steps
            self._metrics["train"][f"loss_{name}"].append(share.item())
        return terms

    # Resuming in the middle of a generated batch, or after the first epoch.

    def _get_train_sampler(self, dataset=None):
        s = super()._get_train_sampler(dataset)
        return EpochSampler(s.data_source, s.mini_repeat_count, s.batch_size, s.repeat_count, s.shuffle, s.seed)

    def _set_signature_columns_if_needed(self):
        super()._set_signature_columns_if_needed()
        kept = [name for name in ("demonstration", "row") if name not in self._signature_columns]
        self._signature_columns = [*self._signature_columns, *kept]

    def _state_file(self, checkpoint: str) -> str:
        return os.path.join(checkpoint, f"uniapl_{self.accelerator.process_index}.pt")

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        folder = os.path.join(self._get_output_dir(trial=trial), f"checkpoint-{self.state.global_step}")
        learner = self.discriminator.state_dict() if isinstance(self.discriminator, Learner) else None
        state = {"step": self._step, "rollouts": self._buffered_inputs, "learner": learner}
        state |= {"lam": self.lam, "distance_mean": self.distance_mean, "expert_scores": self._expert_scores}
        torch.save(state, self._state_file(folder))

    def _load_optimizer_and_scheduler(self, checkpoint):
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            saved = torch.load(self._state_file(checkpoint), weights_only=True)
            self._step, self._buffered_inputs = saved["step"], saved["rollouts"]
            self.lam, self.distance_mean = saved["lam"], saved["distance_mean"]
            self._expert_scores = saved["expert_scores"]
            if saved["learner"] is not None:
                self.discriminator.load_state_dict(saved["learner"])
