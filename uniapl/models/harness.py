"""Checkpoints as lm-eval's models: one in memory, read by transformers, or a folder, read by vLLM."""

import functools
import os
from pathlib import Path

from uniapl.errors import UserError
from uniapl.jsonl import read_json
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


def vllm_harness(checkpoint: Path, memory: float, context: int | None = None):
    """The checkpoint's folder as lm-eval's model: vLLM on all granted GPUs, with the share `memory` of each.

    `context` is in tokens, as far as the model has so many; None: what its tokenizer states, as in its training.
    Raises UserError where vLLM is missing or does not start.
    """
    from lm_eval.models.vllm_causallms import VLLM

    set_vllm()
    try:
        return VLLM(
            pretrained=str(checkpoint.resolve()),
            max_model_len=_context(checkpoint, context),
            gpu_memory_utilization=memory,
            tensor_parallel_size=max(1, int(os.environ.get("UNIAPL_GPUS", 1))),
            seed=0,
        )
    except Exception as error:  # vLLM's errors share no class
        raise UserError(f"vLLM does not start on {checkpoint}: {error}; envs/ has its environments") from error


def _context(checkpoint: Path, asked: int | None) -> int:
    if asked is None:
        return load_tokenizer(checkpoint).model_max_length
    return min(asked, read_json(checkpoint / "config.json", ("max_position_embeddings",))["max_position_embeddings"])


def describe_once() -> None:
    """Let lm-eval ask the machine about itself once per process, not after every checkpoint for over a second."""
    from torch.utils import collect_env

    collect_env.get_pretty_env_info = functools.cache(collect_env.get_pretty_env_info)
