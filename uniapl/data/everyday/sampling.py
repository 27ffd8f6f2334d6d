"""Answers of the base, as stage teach asks for them: one small interface, served in three ways.

A `Sampler` takes prompts and a seed for each, and gives a `Sample` for each; n answers to one prompt are n seeds.
`Sampled` makes it a backend of uniapl/data/teach, which judges, records and resumes. `load_engine` is the fastest
without vLLM, for Qwen3 and Llama and the whole distribution; `load_transformers` knows every model. vLLM's own path is
uniapl/data/teach/offline.py, with `load_vllm` here for machines without a GPU.
"""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from uniapl.data.teach import Teacher
from uniapl.data.teach.answer import Answer, Refusal, Request
from uniapl.data.teach.ledger import Meter
from uniapl.errors import UserError
from uniapl.models.checkpoints import checkpoint, load_tokenizer, messages
from uniapl.models.precision import multiplies_bfloat16


@dataclass(frozen=True)
class Sample:
    """One answer. `complete`: it ended by itself, before the limit on tokens."""

    text: str
    complete: bool
    prompt_tokens: int
    tokens: int


Sampler = Callable[[Sequence[str], Sequence[int]], list[Sample]]


def _load(folder: Path):
    """The model of a checkpoint to sample from: eager attention, the fastest of transformers' ways on a CPU, and
    bfloat16 where the machine multiplies it."""
    import torch
    from transformers import AutoModelForCausalLM

    dtype = torch.bfloat16 if multiplies_bfloat16() else torch.float32
    model = AutoModelForCausalLM.from_pretrained(checkpoint(folder), dtype=dtype, attn_implementation="eager")
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def load_engine(teacher: Teacher, folder: Path) -> Sampler:
    """A sampler by uniapl/models/sampler.py, which draws from the whole distribution at the teacher's temperature.

    A batch is drawn with the seed of its first prompt, so an answer depends on what else is in its batch. Raises
    UserError for another distribution, a family that the decoder does not know, and a folder without a checkpoint.
    """
    import torch

    from uniapl.models.decoder import Decoder
    from uniapl.models.sampler import sample

    if (teacher.top_p, teacher.top_k, teacher.presence_penalty) != (1.0, 0, 0.0):
        raise UserError("the engine samples from the whole distribution: set top_p 1, top_k 0 and no presence_penalty")
    tokenizer, model = load_tokenizer(folder), _load(folder)
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    try:
        decoder = Decoder(model, model.dtype)
    except ValueError as error:
        raise UserError(f"{folder}: {error}; --engine transformers samples from it") from error

    def draw(prompts: Sequence[str], seeds: Sequence[int]) -> list[Sample]:
        chats = [messages(prompt) for prompt in prompts]
        ids = tokenizer.apply_chat_template(chats, add_generation_prompt=True, return_dict=False)
        torch.manual_seed(seeds[0])
        greedy = not teacher.temperature
        drawn = sample(decoder, ids, teacher.max_tokens, ends, teacher.temperature or 1.0, greedy).ids
        samples = []
        for prompt, answer in zip(ids, drawn, strict=True):
            complete = answer[-1] in ends
            text = tokenizer.decode(answer[:-1] if complete else answer, skip_special_tokens=False)
            samples.append(Sample(text, complete, len(prompt), len(answer)))
        return samples

    return draw


def load_transformers(teacher: Teacher, folder: Path) -> Sampler:
    """A sampler by transformers. A batch is drawn with the seed of its first prompt (generate knows one seed), so an
    answer depends on what else is in its batch. Raises UserError where the folder holds no checkpoint.
    """
    import torch

    if teacher.presence_penalty:
        raise UserError("transformers knows no presence_penalty: set it to 0, or sample with vLLM")
    tokenizer, model = load_tokenizer(folder), _load(folder)
    tokenizer.padding_side = "left"
    drawn = {"temperature": teacher.temperature, "top_p": teacher.top_p, "top_k": teacher.top_k}
    how = {"do_sample": True, **drawn} if teacher.temperature else {"do_sample": False}

    @torch.inference_mode()
    def sample(prompts: Sequence[str], seeds: Sequence[int]) -> list[Sample]:
        chats = [messages(prompt) for prompt in prompts]
        ids = tokenizer.apply_chat_template(
            chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        ).to(model.device)
        torch.manual_seed(seeds[0])
        out = model.generate(**ids, max_new_tokens=teacher.max_tokens, **how)[:, ids["input_ids"].shape[1] :]
        ends = model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        samples = []
        for row, mask in zip(out.tolist(), ids["attention_mask"], strict=True):
            stop = next((i for i, token in enumerate(row) if token in ends), None)
            text = tokenizer.decode(row[:stop], skip_special_tokens=False)
            tokens = len(row) if stop is None else stop + 1
            samples.append(Sample(text, stop is not None, int(mask.sum()), tokens))
        return samples

    return sample


@dataclass
class Sampled:
    """A sampler as a backend of stage teach, a batch of `concurrency` prompts at a time.

    `load` is called with the first request: a file that needs no answer does not wait for a model.
    """

    teacher: Teacher
    load: Callable[[], Sampler]
    sampler: Sampler | None = None

    def __call__(self, requests: Iterator[Request | None], meter: Meter) -> Generator[Answer | Refusal, None, None]:
        self.sampler = self.sampler or self.load()
        while batch := list(islice(takewhile(bool, requests), self.teacher.concurrency)):
            samples = self.sampler([request.prompt for request in batch], [request.seed for request in batch])
            for request, one in zip(batch, samples, strict=True):
                reason = "stop" if one.complete else "length"
                yield Answer(request, one.text, reason, one.prompt_tokens, one.tokens, self.teacher.model)


def load_vllm(teacher: Teacher, folder: Path) -> Any:
    """A vllm.LLM for uniapl/data/teach/offline.py: in this process, bfloat16, without compilation, so that it starts in
    seconds. On a CPU the key-value cache takes 4 GB unless VLLM_CPU_KVCACHE_SPACE says otherwise. Raises UserError."""
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
    try:
        from vllm import LLM
    except ImportError as error:
        raise UserError(f"vLLM cannot be imported ({error}): `make venv-vllm`, or --engine transformers") from error
    try:
        return LLM(
            model=str(checkpoint(folder).resolve()),
            dtype="bfloat16",
            enforce_eager=True,
            max_model_len=teacher.max_model_len,
            max_num_seqs=teacher.concurrency,
            seed=teacher.seed,
        )
    except Exception as error:  # vLLM's own, PyTorch's: no common class
        raise UserError(f"vLLM does not start with {folder}: {error}; its log above says more") from error
