"""What TRL uses of vLLM 0.31, on a CPU: an engine that generates from the weights that it was given, and no others.

In PYTHONPATH of a process, its folder makes this the package `vllm`. NCCL is a queue here, which takes what the trainer
broadcasts to a server of the same process (tests/support/vllm_server.py).
"""

import queue
import sys
import types
from dataclasses import dataclass
from types import SimpleNamespace

__version__ = "0.31.0"
WIRE: queue.Queue = queue.Queue()


@dataclass
class SamplingParams:
    n: int
    temperature: float
    max_tokens: int
    repetition_penalty: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    logprobs: int | None = 0

    def __post_init__(self):
        whole = (self.repetition_penalty, self.top_p, self.top_k, self.min_p) == (1.0, 1.0, 0, 0.0)
        if not whole:
            raise ValueError(f"{self}: a policy gradient needs samples of the whole distribution")


class LLM:
    """Random weights of the checkpoint's shape until `load_weights` replaces them; `made` has every engine."""

    made: list["LLM"] = []

    def __init__(self, *, model: str, seed: int, max_model_len: int, logprobs_mode: str, **options):
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        if logprobs_mode != "processed_logprobs":
            raise ValueError(f"logprobs_mode={logprobs_mode}: a correction needs the sampler's own")
        with torch.random.fork_rng():  # the training's stays as it was
            torch.manual_seed(1)
            policy = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model))
        self.policy, self.random, self.seed = policy.float().eval(), torch.Generator().manual_seed(seed), seed
        self.pushes: list[list[str]] = [[]]  # names, of each synchronization; the last is not ended
        runner = SimpleNamespace(model=self)
        self.llm_engine = SimpleNamespace(
            model_executor=SimpleNamespace(driver_worker=SimpleNamespace(model_runner=runner)),
            model_config=SimpleNamespace(max_model_len=max_model_len),
        )
        LLM.made.append(self)

    def load_weights(self, weights) -> None:
        own = dict(self.policy.named_parameters())
        for name, value in weights:
            own[name].data.copy_(value)  # KeyError for a name that the policy does not have
            self.pushes[-1].append(name)

    def reset_prefix_cache(self) -> None:
        self.pushes.append([])

    def generate(self, prompts, sampling_params, use_tqdm=True) -> list:
        """A RequestOutput for each prompt, with `n` samples."""
        found = []
        for prompt in prompts:
            ids = prompt["prompt_token_ids"]
            samples = [self._sample(ids, sampling_params) for _ in range(sampling_params.n)]
            found.append(SimpleNamespace(prompt_token_ids=ids, outputs=samples))
        return found

    def _sample(self, prompt: list[int], wanted: SamplingParams) -> SimpleNamespace:
        import torch

        ids, logprobs = list(prompt), []
        with torch.no_grad():
            while len(logprobs) < wanted.max_tokens and ids[-1:] != [self.policy.config.eos_token_id]:
                logits = self.policy(input_ids=torch.tensor([ids])).logits[0, -1] / wanted.temperature
                logp = logits.log_softmax(-1)
                token = torch.multinomial(logp.exp(), 1, generator=self.random).item()
                ids.append(token)
                logprobs.append({token: SimpleNamespace(logprob=logp[token].item(), rank=1)})
        return SimpleNamespace(token_ids=ids[len(prompt) :], logprobs=logprobs)


class RequestOutput:
    """A name in TRL's annotations."""


def trainer_init(init_info: dict) -> SimpleNamespace:
    """The trainer's end of the wire."""
    return SimpleNamespace(group=SimpleNamespace(store=None, socket=None), init_info=init_info)


def packed_nccl_broadcast_producer(iterator, group, src, post_iter_func) -> None:
    for item in iterator:
        WIRE.put(post_iter_func(item).clone())


def _module(name: str, **names) -> None:
    module = types.ModuleType(f"vllm.{name}")
    vars(module).update(names)
    sys.modules[f"vllm.{name}"] = module


__path__: list[str] = []  # a package, whose modules are these
_module("utils", __path__=[])
_module("utils.network_utils", get_ip=lambda: "127.0.0.1")
_module("sampling_params", StructuredOutputsParams=object)
_module("distributed", __path__=[])
_module("distributed.weight_transfer", __path__=[])
_module("distributed.weight_transfer.nccl_common", trainer_init=trainer_init)
_module("distributed.weight_transfer.packed_tensor", packed_nccl_broadcast_producer=packed_nccl_broadcast_producer)
