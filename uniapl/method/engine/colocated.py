"""TRL's colocated vLLM, whose weights can also be replaced on vLLM's build for CPUs.

TRL pushes weights by `model.load_weights`, tensor by tensor. On a CPU vLLM has packed a layer's weights for its kernels
and emptied the parameter: this fails (findings/vllm_cpu_load_weights.sh). `reload_weights` with an iterator unpacks,
loads and packs again, but for a head that is tied to the embeddings, whose packed copy stays old. On a GPU nothing is
changed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from trl.generation import vllm_generation
from trl.generation.vllm_generation import VLLMGeneration
from trl.trainer import grpo_trainer

from uniapl.models.sampler import draw

KV_CACHE = 1 << 30  # bytes on a CPU, where vLLM would take a share of the whole machine's memory: 45,000 tokens of 135M
BLOCK = 32  # tokens, the fewest: a group shares its prompt in whole blocks, and 128, vLLM's default, is longer than one

DRAW = "compiled_random_sample"  # vLLM 0.31's name of what draws tokens on a CPU


def random_sample(logits: torch.Tensor) -> torch.Tensor:
    """Tokens (R,) of logits (R, V) by R uniform numbers; vLLM draws an exponential one for each of R x V."""
    return draw(logits.float(), torch.rand(len(logits), device=logits.device))[0]


@contextmanager
def replaced(module, name: str, value) -> Iterator[None]:
    """`module.name` is `value` within."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


class Colocated(VLLMGeneration):
    """TRL's engine wrapper. On a CPU: float32 where the policy trains in float32, bfloat16 under autocast; no
    compilation; a bounded cache; the threads of the training stay free.
    """

    def _init_vllm(self):
        if self.mode != "colocate" or self.accelerator.device.type != "cpu":
            super()._init_vllm()
            return
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
        dtype = "bfloat16" if self.accelerator.mixed_precision == "bf16" else "float32"
        llm, set_num_threads = vllm_generation.LLM, torch.set_num_threads
        fixed = {"dtype": dtype, "enforce_eager": True, "kv_cache_memory_bytes": KV_CACHE, "block_size": BLOCK}
        try:
            with replaced(vllm_generation, "LLM", lambda **options: llm(**options, **fixed)):
                super()._init_vllm()
        finally:
            torch.set_num_threads = set_num_threads  # vLLM puts a function there that ignores the call

    def generate(self, *args, **kwargs):
        if self.mode != "colocate" or self.accelerator.device.type != "cpu":
            return super().generate(*args, **kwargs)
        from vllm.v1.sample.ops import topk_topp_sampler

        # vLLM would compile two small functions, for which it needs a C++ compiler and, the first time, a minute
        with torch.compiler.set_stance("force_eager"), replaced(topk_topp_sampler, DRAW, random_sample):
            return super().generate(*args, **kwargs)

    def sync_weights(self):
        if self.mode != "colocate" or self.accelerator.device.type != "cpu":
            super().sync_weights()
            return
        from vllm.config import set_current_vllm_config
        from vllm.model_executor.layers.vocab_parallel_embedding import VocabParallelEmbedding

        engine = self.llm.llm_engine
        runner = engine.model_executor.driver_worker.model_runner
        with torch.no_grad(), set_current_vllm_config(engine.vllm_config):
            runner.reload_weights(weights_iterator=self._iter_named_params())
            for layer in runner.model.modules():
                if isinstance(
                    layer, VocabParallelEmbedding
                ):  # a tied head has a packed copy, and no weight of its name
                    layer.quant_method.process_weights_after_loading(layer)
        self.llm.reset_prefix_cache()


def installed():
    """Context in which a GRPOTrainer that is built uses `Colocated`."""
    return replaced(grpo_trainer, "VLLMGeneration", Colocated)
