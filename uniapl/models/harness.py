"""Checkpoints as lm-eval's models: one in memory, read by transformers, or a folder, read by vLLM."""

import functools
import os
from pathlib import Path

from uniapl.errors import UserError
from uniapl.models.checkpoints import load_tokenizer
from uniapl.models.startup import set_vllm

ALONE = 0.9  # vLLM's share of a GPU that it has to itself (ours; vLLM 0.31 takes 0.92)


def model_harness(model, tokenizer, batch: int):
    """The model in memory as lm-eval's, `batch` prompts at a time."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=batch,
        max_length=tokenizer.model_max_length,
        device=str(model.device),
    )


def vllm_harness(checkpoint: Path, memory: float):
    """The checkpoint's folder as lm-eval's model: vLLM on all granted GPUs, with the share `memory` of each.

    Raises UserError where vLLM is missing or does not start.
    """
    from lm_eval.models.vllm_causallms import VLLM

    set_vllm()
    try:
        return VLLM(
            pretrained=str(checkpoint.resolve()),
            max_model_len=load_tokenizer(checkpoint).model_max_length,
            gpu_memory_utilization=memory,
            tensor_parallel_size=max(1, int(os.environ.get("UNIAPL_GPUS", 1))),
            seed=0,
        )
    except Exception as error:  # vLLM's errors share no class
        raise UserError(f"vLLM does not start on {checkpoint}: {error}; envs/ has its environments") from error


def describe_once() -> None:
    """Let lm-eval ask the machine about itself once per process, not after every checkpoint for over a second."""
    from torch.utils import collect_env

    collect_env.get_pretty_env_info = functools.cache(collect_env.get_pretty_env_info)
