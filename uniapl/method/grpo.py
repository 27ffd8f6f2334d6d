"""GRPO as every method here extends it: TRL's trainer, resumable, with rollouts that are the policy's own.

The policy gradient reads a rollout's log-probability from a forward pass, so the rollout must have been drawn from just
this distribution. Other things act on it unseen: transformers fills every field that TRL leaves open from the
checkpoint's generation_config.json (min_p, no_repeat_ngram_size, suppress_tokens, ...), and nothing warns
(findings/generation_config.sh). Each is refused here by name, and so is what the arguments ask for of this kind.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import GenerationConfig
from trl import GRPOConfig, GRPOTrainer

from uniapl.method.deepspeed import check_deepspeed
from uniapl.method.resume import Resumable

NEUTRAL = {"do_sample": True, "top_k": 0}  # beside transformers' defaults: sampling from the whole distribution
NO_EFFECT = {  # fields that say where a rollout ends, how it is padded, computed or returned
    *("max_length", "max_new_tokens", "eos_token_id", "bos_token_id", "pad_token_id", "decoder_start_token_id"),
    *("use_cache", "cache_config", "max_cache_len", "disable_compile", "compile_config", "prefill_chunk_size"),
    *("output_attentions", "output_hidden_states", "output_logits", "output_scores", "low_memory"),
    *("renormalize_logits", "continuous_batching_config", "transformers_version", "_from_model_config"),
}
UNSEEN = "changes rollouts, not their log-probabilities"
REFUSED = {  # argument: values without effect, and what another one does
    "top_p": ((1.0,), UNSEEN),
    "top_k": ((0, -1), UNSEEN),
    "min_p": ((None, 0.0), UNSEEN),
    "repetition_penalty": ((1.0,), UNSEEN),
    "generation_kwargs": ((None, {}), "may change rollouts unseen"),
    "neftune_noise_alpha": ((None, 0.0), "adds noise to log-probabilities and draws random numbers"),
    "label_smoothing_factor": ((0.0,), "would act on no term"),
    "ignore_data_skip": ((False,), "lets a resumed training read other rows"),
}


def check_arguments(args: GRPOConfig) -> None:
    """Raise ValueError for arguments under which a rollout is not drawn from the policy's own distribution, or the
    gradient depends on the layout of micro-batches."""
    if args.loss_type == "bnpo":
        raise ValueError("loss_type='bnpo' is refused: its gradient depends on the micro-batch size; choose 'dapo'")
    for name, (neutral, effect) in REFUSED.items():
        if getattr(args, name) not in neutral:
            raise ValueError(f"{name}={getattr(args, name)!r} {effect}: leave it {neutral[0]!r}")
    if args.use_transformers_continuous_batching and (args.bf16 or args.fp16):
        raise ValueError(
            "use_transformers_continuous_batching with bf16 or fp16 converts the trained policy itself, and leaves it "
            "so: leave one of them out (findings/continuous_batching.sh)"
        )


def check_generation(model, requested: GenerationConfig) -> None:
    """Raise ValueError for a field of the model's generation_config that would act on rollouts.

    `requested` is what TRL asks of `generate`; it leaves most fields open, and transformers fills them from the model.
    """
    filled, _ = model._prepare_generation_config(requested)
    neutral = model.generation_config._get_default_generation_params() | NEUTRAL
    neutral["temperature"] = requested.temperature  # TRL divides the logits of both by it
    for name in sorted(GenerationConfig().to_dict().keys() - NO_EFFECT):
        value = getattr(filled, name, None)
        if name == "cache_implementation" and value != "quantized":
            continue
        if value is not None and value != neutral.get(name):
            raise ValueError(
                f"the model's generation_config has {name}={value!r}, which {UNSEEN}: "
                f"set model.generation_config.{name} = None"
            )


@contextmanager
def seeded_vllm(seed: int) -> Iterator[None]:
    """Let the vLLM that TRL starts in this process sample by the run's seed; TRL seeds it by the process alone."""
    from trl.generation import vllm_generation

    start = getattr(vllm_generation, "LLM", None)
    if start is None:  # vLLM is not installed
        yield
        return
    vllm_generation.LLM = lambda *args, **kwargs: start(*args, **{**kwargs, "seed": 1000 * seed + kwargs["seed"]})
    try:
        yield
    finally:
        vllm_generation.LLM = start


@contextmanager
def named_server(args: GRPOConfig) -> Iterator[None]:
    """Say in a ValueError what is wrong with vLLM's server: not there, or started without what TRL needs of it."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # of requests, and of TRL
        if args.use_vllm and args.vllm_mode == "server":
            raise ValueError(f"rollouts from {args.vllm_server_base_url}: {error}") from error
        raise


class GRPO(Resumable, GRPOTrainer):
    """trl.GRPOTrainer, bit for bit. Raises ValueError at construction for what would change rollouts unseen, and for a
    server of rollouts that cannot serve.

    A method that reads the rollouts' forward pass, or needs TRL's loss more than once for it, computes it by
    `rollout_forward` and lets TRL's loss read it: `with self.reusing(forward)`.
    """

    _forward = None  # what TRL's loss reads in the place of a forward pass of its own

    def __init__(self, *, args: GRPOConfig, **kwargs):
        check_arguments(args)
        with named_server(args), seeded_vllm(args.seed):
            super().__init__(args=args, **kwargs)
        check_deepspeed(self.accelerator)
        if not self.use_vllm:  # vLLM is asked for every field by name
            check_generation(self.accelerator.unwrap_model(self.model), self.generation_config)

    def own_rows(self, gathered: torch.Tensor, rows: int) -> torch.Tensor:
        """The rows of this process, `rows` of them, in a tensor with those of all processes."""
        start = self.accelerator.process_index * rows
        return gathered[start : start + rows]

    def rollout_forward(self, model, inputs: dict) -> tuple:
        """log p and entropies (B, T) of a micro-batch's rollouts, in nats, and TRL's auxiliary loss."""
        ids, mask = (torch.cat([inputs[f"prompt_{x}"], inputs[f"completion_{x}"]], dim=1) for x in ("ids", "mask"))
        return self._get_per_token_logps_and_entropies(
            model, ids, mask, inputs["completion_ids"].size(1), compute_entropy=True
        )

    @contextmanager
    def reusing(self, forward: tuple) -> Iterator[None]:
        """Let TRL's loss read this forward pass."""
        self._forward = forward
        try:
            yield
        finally:
            self._forward = None

    def _get_per_token_logps_and_entropies(self, *args, **kwargs):
        return self._forward or super()._get_per_token_logps_and_entropies(*args, **kwargs)
