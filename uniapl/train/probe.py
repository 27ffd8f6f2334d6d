"""Training curves that every arm has: the policy measured on the same validation prompts every few steps.

Responses are sampled at temperature 1 from a generator of their own, so that measuring changes nothing it measures.
"""

import json
from dataclasses import dataclass
from functools import cached_property

import torch
from transformers import TrainerCallback

from uniapl.checkers import read_instructions
from uniapl.checkers.reward import follows_all
from uniapl.discriminators import Discriminator
from uniapl.method import objective
from uniapl.models.checkpoints import messages
from uniapl.models.decoder import Decoder
from uniapl.models.logprobs import token_logprobs
from uniapl.models.sampler import sample


@dataclass(frozen=True)
class Probe:
    """`rows` have prompt, instruction_id_list, kwargs; `references` are the expert's responses to them.

    Without a discriminator nothing is scored, and there need be no references. With `sampler_dtype` the responses are
    drawn by uniapl/models/sampler.py, in this number format.
    """

    rows: list[dict]
    references: list[str]
    base: torch.nn.Module
    tokenizer: object
    discriminator: Discriminator | None
    max_new_tokens: int
    sampler_dtype: torch.dtype | None = None

    def measure(self, model, seed: int) -> dict[str, float]:
        """Pass rate, KL to the base, entropy, length; with a discriminator its score, and AUC of expert over policy.

        KL is TRL's estimator (mean over sampled tokens of exp(d) - d - 1, d = log p_base - log p), in nats per token;
        entropy is the mean of -log p over sampled tokens, in nats; length is in tokens.
        """
        training = model.training
        model.eval()
        devices = [model.device] if model.device.type == "cuda" else []
        with torch.random.fork_rng(devices), torch.inference_mode():
            torch.manual_seed(seed)
            pairs = self._sample(model)
        policy, base = (torch.cat(token_logprobs(m, pairs)) for m in (model, self.base))
        model.train(training)
        texts = self.tokenizer.batch_decode([response for _, response in pairs], skip_special_tokens=True)
        prompts = [row["prompt"] for row in self.rows]
        keys = [row["key"] for row in self.rows]
        instructions = [json.dumps(read_instructions(row, f"key {row['key']}")) for row in self.rows]
        passed = follows_all([[{"content": text}] for text in texts], instructions, key=keys)
        difference = base - policy
        metrics = {
            "probe_reward": sum(passed) / len(passed),
            "probe_kl": (difference.exp() - difference - 1).mean().item(),
            "probe_entropy": -policy.mean().item(),
            "probe_length": sum(len(response) for _, response in pairs) / len(pairs),
        }
        if self.discriminator is None:
            return metrics
        scores = self.discriminator.score(prompts, self.references, texts)
        return metrics | {
            "probe_score": scores.mean().item(),
            "probe_auc": objective.auc(self._expert_scores, scores),
        }

    @cached_property
    def _expert_scores(self):
        return self.discriminator.score([row["prompt"] for row in self.rows], self.references, self.references)

    def _sample(self, model) -> list[tuple[list[int], list[int]]]:
        """One sampled response per row, as (prompt ids, response ids up to and including the end token)."""
        chats = [
            self.tokenizer.apply_chat_template(messages(r["prompt"]), add_generation_prompt=True, return_dict=False)
            for r in self.rows
        ]
        ends = model.generation_config.eos_token_id  # one, or a list, as Qwen3's
        ends = {self.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
        if self.sampler_dtype is not None:
            drawn = sample(Decoder(model, self.sampler_dtype), chats, self.max_new_tokens, sorted(ends))
            return list(zip(chats, drawn.ids, strict=True))
        batch = self.tokenizer.pad({"input_ids": chats}, padding_side="left", return_tensors="pt").to(model.device)
        out = model.generate(
            **batch, max_new_tokens=self.max_new_tokens, do_sample=True, temperature=1.0, top_k=0, top_p=1.0
        )
        pairs = []
        for chat, row in zip(chats, out[:, batch["input_ids"].shape[1] :].tolist(), strict=True):
            length = next((i for i, token in enumerate(row, start=1) if token in ends), len(row))
            pairs.append((chat, row[:length]))
        return pairs


class ProbeCallback(TrainerCallback):
    """Appends a measurement to the trainer's log history at step 0 and every `every` steps; it survives a resume."""

    def __init__(self, probe: Probe, every: int, seed: int):
        self.probe, self.every, self.seed = probe, every, seed

    def on_train_begin(self, args, state, control, model=None, **kwargs):
        if state.global_step == 0:
            self._append(state, model)

    def on_step_end(self, args, state, control, model=None, **kwargs):
        if state.global_step % self.every == 0 or state.global_step == state.max_steps:
            self._append(state, model)

    def _append(self, state, model):
        if not all(p.isfinite().all() for p in model.parameters()):
            return  # nothing to sample from; the log of this step stops the training
        values = self.probe.measure(model, seed=self.seed * 1_000_003 + state.global_step)
        state.log_history.append({"step": state.global_step, **values})
