"""EngineTrainer: TRL's GRPOTrainer with another way to compute the same numbers.

Stand it behind a trainer that extends GRPOTrainer: `class Fast(UniAPLTrainer, EngineTrainer)`. Every super() of the
first then reaches this one before TRL. With `engine=PLAIN` nothing is overridden: stock TRL, bit for bit.
"""

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate.utils import set_seed
from torch import Tensor
from trl import GRPOTrainer

from uniapl.method.engine import attention, colocated, correction
from uniapl.method.engine.head import projecting_labels, rounds
from uniapl.method.engine.packing import pack
from uniapl.models.decoder import Decoder
from uniapl.models.sampler import sample


@dataclass(frozen=True)
class Engine:
    """What is computed in another way than TRL's.

    `packed`: the training pass runs over packed batches (packing.py), each group in one micro-batch. `sampler`:
    rollouts by uniapl/models/sampler.py where GRPOConfig does not ask for vLLM, in bfloat16 where the training is under
    autocast. With vLLM in this process its wrapper is `colocated.Colocated`: its weights are synchronized on CPUs too.
    `late_correction`: the ratio of trainer to sampler (GRPOConfig's vllm_importance_sampling_*) is taken in the loss,
    of the log-probabilities that it has anyway, in place of a forward pass of its own. It is logged whoever sampled; it
    enters the loss only where vLLM sampled and GRPOConfig asks for it. `fast_head`: TRL's head multiplies in bfloat16
    under autocast on a CPU too (head.py).
    """

    packed: bool = False
    sampler: bool = False
    late_correction: bool = False
    fast_head: bool = False


PLAIN = Engine()
FAST = Engine(packed=True, sampler=True, late_correction=True, fast_head=True)


class EngineTrainer(GRPOTrainer):
    """GRPOTrainer; `engine` says what is computed in another way than TRL's.

    Raises ValueError for a policy that the engine would compute differently (attention dropout, sliding windows), and
    for a sharded policy that `sampler` cannot read.
    """

    def __init__(self, *, engine: Engine = PLAIN, args, **kwargs):
        self.engine, self._late, self._drawn, self._gaps = engine, None, None, {}
        with colocated.installed() if engine != PLAIN else nullcontext():
            super().__init__(args=args, **kwargs)
        if engine == PLAIN:
            return
        config = self.model.config
        if config.attention_dropout or "sliding_attention" in (getattr(config, "layer_types", None) or ()):
            raise ValueError("the engine needs attention_dropout=0 and no sliding window")
        if engine.sampler and not self.use_vllm and (self.is_fsdp_enabled or self.is_deepspeed_enabled):
            raise ValueError("the engine's sampler reads the whole policy: where it is sharded, vLLM must generate")
        for model in (self.model, self.ref_model):
            if model is not None:
                model.set_attn_implementation(attention.register())
        if self.use_vllm and self.vllm_mode == "colocate":
            set_seed(args.seed, device_specific=True)  # vLLM set every generator of this process to 0
        if engine.sampler and not self.use_vllm:
            dtype = torch.bfloat16 if self.accelerator.mixed_precision == "bf16" else self.model.dtype
            self._decoder = Decoder(self.model, dtype)
        self._corrects = self.use_vllm and self.vllm_importance_sampling_correction
        generate_every = args.steps_per_generation * self.num_iterations
        if engine.late_correction and args.gradient_accumulation_steps % generate_every == 0:
            self._late = correction.Ratio(
                args.vllm_importance_sampling_mode,
                args.vllm_importance_sampling_clip_min,
                args.vllm_importance_sampling_clip_max,
            )
            self.vllm_importance_sampling_correction = False  # TRL's own, which takes a forward pass

    # Rollouts.

    def _generate_single_turn(self, prompt_ids, images, multimodal_fields, num_generations, has_tool_images=False):
        if not self.engine.sampler or self.use_vllm or images is not None:
            return super()._generate_single_turn(
                prompt_ids, images, multimodal_fields, num_generations, has_tool_images
            )
        self._decoder.load(self.accelerator.unwrap_model(self.model_wrapped))
        drawn = sample(self._decoder, prompt_ids, self.max_completion_length, self.eos_token_ids, self.temperature)
        return drawn.ids, drawn.logprobs

    def _prepare_inputs(self, generation_batch):
        before = self._buffered_inputs
        inputs = super()._prepare_inputs(generation_batch)
        if not self.engine.packed or not self.model.training or self._buffered_inputs is before:
            return inputs
        window, batches = self.args.gradient_accumulation_steps, self._buffered_inputs
        self._buffered_inputs = [
            batch for start in range(0, len(batches), window) for batch in by_prompt(batches[start : start + window])
        ]
        return self._buffered_inputs[self._step % self.args.steps_per_generation]

    # The training pass.

    def _get_per_token_logps_and_entropies(
        self,
        model,
        input_ids,
        attention_mask,
        logits_to_keep,
        batch_size=None,
        compute_entropy=False,
        compute_aux_loss=False,
        **images,
    ):
        if self._drawn is not None:
            return self._drawn
        packed = self.engine.packed and not compute_aux_loss and all(value is None for value in images.values())
        size = batch_size or len(input_ids)
        parts = list(zip(input_ids.split(size), attention_mask.split(size), strict=True))
        if not packed or not all(mask[:, -logits_to_keep:].any() for _, mask in parts):  # nothing to learn: TRL's zero
            return super()._get_per_token_logps_and_entropies(
                model,
                input_ids,
                attention_mask,
                logits_to_keep,
                batch_size,
                compute_entropy,
                compute_aux_loss,
                **images,
            )
        done = [self._packed_pass(model, ids, mask, logits_to_keep) for ids, mask in parts]
        logps, entropies = zip(*done, strict=True)
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None

    def _packed_pass(self, model, ids: Tensor, mask: Tensor, columns: int) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities and entropies (B, columns) by TRL's fused head over the packed rows; a reference model's
        head has no entropies."""
        if self.accelerator.unwrap_model(model).config._attn_implementation != attention.NAME:
            raise ValueError("this model's attention ignores packing: a row would attend to all others")
        with self.accelerator.autocast():
            return packed_pass(model, ids, mask, columns, fast_head=self.engine.fast_head)

    # Sampler against trainer.

    def _compute_loss(self, model, inputs):
        sampled = inputs.get("sampling_per_token_logps")
        if self._late is None or sampled is None or not self.model.training:
            return super()._compute_loss(model, inputs)
        ids, mask = (torch.cat([inputs[f"prompt_{x}"], inputs[f"completion_{x}"]], dim=1) for x in ("ids", "mask"))
        self._drawn = self._get_per_token_logps_and_entropies(
            model, ids, mask, inputs["completion_ids"].size(1), compute_entropy=True
        )
        try:
            learned = inputs["completion_mask"] * inputs.get("tool_mask", 1)
            gap = self._drawn[0].detach() - sampled
            ratio = self._late(gap, learned)
            self._log_gap(gap[learned.bool()], ratio.expand_as(gap)[learned.bool()])
            if self._corrects:  # TRL multiplies each token's loss by it; the loss is linear in the advantage
                advantages = inputs["advantages"]
                advantages = advantages[:, None] if advantages.dim() == 1 else advantages
                inputs = {**inputs, "advantages": advantages * ratio}
            return super()._compute_loss(model, inputs)
        finally:
            self._drawn = None

    def _log_gap(self, gap: Tensor, ratio: Tensor) -> None:
        """Keep a micro-batch's differences; after a step's last one, log them under TRL's names."""
        window = self.current_gradient_accumulation_steps
        place = self._step % window
        if place == 0:
            self._gaps = {}
        self._gaps[place] = gap, ratio
        if place + 1 == window:
            gaps, ratios = (torch.cat(values) for values in zip(*self._gaps.values(), strict=True))
            for name, value in correction.statistics(gaps, ratios, self.accelerator.gather).items():
                self._metrics["train"][f"sampling/{name}"].append(value)


def packed_pass(model, ids: Tensor, mask: Tensor, columns: int, *, fast_head: bool) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities and entropies (B, columns) of a padded batch (packing.py), of a model with TRL's fused head and
    the engine's attention; under the caller's autocast."""
    packing = pack(ids, mask, columns)
    with projecting_labels(fast_head and rounds(ids.device)):
        out = model(
            input_ids=packing.ids,
            position_ids=packing.positions,
            attention_mask=torch.zeros(1, 1, 1, 1, device=ids.device),  # four dimensions: transformers makes none
            shift_labels=packing.labels,
            fused_lm_head=True,
            packing=packing,
        )
    shape = len(ids), columns
    entropy = None if out.entropy is None else packing.unpack(out.entropy, shape)
    return packing.unpack(out.log_probs, shape), entropy


def by_prompt(batches: list[dict]) -> list[dict]:
    """The same rows in batches of the same sizes, equal prompts side by side, so that a group is packed together.

    The batches are of one optimizer step: every loss that TRL sums over a step's tokens, or averages over equal
    batches' rows, is the same up to rounding whichever batch a row is in.
    """
    first = batches[0]
    if any(isinstance(value, list) for value in first.values()):
        return batches  # images: their lists are not TRL's rows
    ids, mask = (torch.cat([batch[f"prompt_{x}"] for batch in batches]) for x in ("ids", "mask"))
    keys = [tuple(row[kept.bool()].tolist()) for row, kept in zip(ids, mask, strict=True)]
    place = {key: i for i, key in enumerate(dict.fromkeys(keys))}  # in the order of TRL's shuffle
    order = torch.tensor(sorted(range(len(keys)), key=lambda i: place[keys[i]]), device=ids.device)
    size = len(first["prompt_ids"])
    joined = {
        name: torch.cat([batch[name] for batch in batches])[order]
        for name, value in first.items()
        if isinstance(value, Tensor) and value.dim()
    }
    return [
        {**batch, **{name: value[i * size : (i + 1) * size] for name, value in joined.items()}}
        for i, batch in enumerate(batches)
    ]
