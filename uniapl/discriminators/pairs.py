"""Scores of (prompt, reference, response) by a causal model with a scalar head at the last token.

All rows of one (prompt, reference) start alike, so the start is computed once and its KV cache is repeated:

    prefix   P \\n reference <|reward|> P \\n      once per distinct prefix
    rest     response <|end|>                     once per row

`Row` carries the two parts as token ids. What depends on the response (a prompt cut to make room for it) makes another
prefix: such rows share nothing, and their scores stay right.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoConfig, AutoModelForSequenceClassification, DynamicCache


class Row(NamedTuple):
    """Token ids of one scored sequence, `prefix` then `rest`; `rest` holds the scored last token."""

    prefix: tuple[int, ...]
    rest: tuple[int, ...]


Encoder = Callable[[list[str], list[str], list[str]], list[Row]]  # prompts, references, responses


def text_ids(tokenizer, texts: list[str]) -> list[list[int]]:
    """Token ids of each text; a text that spells a special token is text, so that no response can write a mark."""
    if not texts:
        return []  # transformers 5.17 raises IndexError
    different = list(dict.fromkeys(texts))  # a group has one prompt and one reference
    ids = tokenizer(different, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    of = dict(zip(different, ids, strict=True))
    return [of[text] for text in texts]


def _padded(sequences: list[tuple[int, ...]], device) -> tuple[Tensor, Tensor]:
    """Ids and mask (N, T), padded on the right with 0, which the mask hides: no id is special here."""
    ids = pad_sequence([torch.tensor(s) for s in sequences], batch_first=True)
    lengths = torch.tensor([len(s) for s in sequences])
    mask = torch.arange(ids.shape[1])[None] < lengths[:, None]
    return ids.to(device), mask.long().to(device)


def _head(model, hidden: Tensor, lengths: Tensor) -> Tensor:
    """Hidden states (N, T, H) and lengths (N,) to the score (N,) at the last token, the head in float32."""
    last = hidden[torch.arange(len(hidden), device=hidden.device), lengths - 1]
    return F.linear(last.float(), model.score.weight.float())[:, 0]


def logits(model, rows: list[Row]) -> Tensor:
    """Scores (N,), each row computed whole; differentiable, on the model's device."""
    ids, mask = _padded([row.prefix + row.rest for row in rows], model.device)
    hidden = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    return _head(model, hidden, mask.sum(1))


def shared_logits(model, rows: list[Row]) -> Tensor:
    """Scores (N,) as `logits`, each distinct prefix computed once; rows of any prefixes, in any order."""
    place = {prefix: i for i, prefix in enumerate(dict.fromkeys(row.prefix for row in rows))}
    owner = torch.tensor([place[row.prefix] for row in rows], device=model.device)
    ids, mask = _padded(list(place), model.device)
    cache = DynamicCache(config=model.config)
    model.base_model(input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True)
    cache.batch_select_indices(owner)
    rest, rest_mask = _padded([row.rest for row in rows], model.device)
    # A shorter prefix leaves masked slots before the rest. Padded on the left instead, its first positions would
    # attend to nothing, which some attention kernels answer with NaN. Positions count tokens, not slots.
    positions = mask.sum(1)[owner, None] + torch.arange(rest.shape[1], device=model.device)
    hidden = model.base_model(
        input_ids=rest,
        attention_mask=torch.cat([mask[owner], rest_mask], 1),
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state
    return _head(model, hidden, rest_mask.sum(1))


@torch.no_grad()  # not inference_mode: the scores enter a loss as constants, which inference tensors may not
def score(model, rows: list[Row], *, batch: int, share: bool = True) -> Tensor:
    """Scores (N,), float32, on the CPU, at most `batch` rows at a time.

    A prefix that only one row has is not worth a second forward pass. `share=False` computes every row whole: the same
    scores up to rounding, for tests and benchmarks.
    """
    count = Counter(row.prefix for row in rows) if share else Counter()
    alone = [i for i, row in enumerate(rows) if count[row.prefix] < 2]
    groups = [i for i, row in enumerate(rows) if count[row.prefix] >= 2]
    alone.sort(key=lambda i: len(rows[i].prefix) + len(rows[i].rest))
    groups.sort(key=lambda i: (len(rows[i].prefix), rows[i].prefix, len(rows[i].rest)))
    scores = torch.empty(len(rows))
    for compute, indices in ((logits, alone), (shared_logits, groups)):
        for start in range(0, len(indices), batch):
            index = indices[start : start + batch]
            scores[index] = compute(model, [rows[i] for i in index]).cpu()
    return scores


def sha256(model) -> str:
    """Digest of every parameter's name, type, shape and bits."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().flatten().contiguous().cpu().view(torch.uint8).numpy())
    return digest.hexdigest()


class Scorer:
    """A frozen discriminator: a reward model in evaluation mode without gradient, and the encoder of its pairs.

    Raises ValueError for a head of zeros, which scores all alike: weights that were not loaded.
    """

    def __init__(self, model, encode: Encoder, *, batch: int = 128):
        if not model.score.weight.any():
            raise ValueError("the discriminator's head is all zeros: its weights were not loaded in this process")
        self.model, self.encode, self.batch = model.eval().requires_grad_(False), encode, batch

    def score(self, prompts: list[str], references: list[str], responses: list[str]) -> Tensor:
        """Scores (N,), float32, on the CPU."""
        return score(self.model, self.encode(prompts, references, responses), batch=self.batch)

    def sha256(self) -> str:
        """Digest of the parameters, which stays what it is."""
        return sha256(self.model)


def fastest_device() -> torch.device:
    """This process's GPU where there is one (LOCAL_RANK, which launchers set), otherwise the CPU.

    Named by its number: a discriminator is loaded before accelerate chooses the process's device, and all would be on
    the first GPU.
    """
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("cpu")


@contextmanager
def whole_weights() -> Iterator[None]:
    """Let `from_pretrained` load the weights in every process.

    With FSDP_CPU_RAM_EFFICIENT_LOADING and a process group it gives every process but the first zeros, without a word:
    accelerate is to fill them in later, which it does for what it trains and not for a discriminator.
    """
    name = "FSDP_CPU_RAM_EFFICIENT_LOADING"
    before = os.environ.pop(name, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[name] = before


def from_policy(folder: Path, layers: int, **extra):
    """The first `layers` layers of a policy's checkpoint under a new scalar head, float32, on the CPU.

    The head is drawn from torch's global generator; `extra` becomes part of the configuration.
    """
    shape = AutoConfig.from_pretrained(folder).to_dict()
    for two in ("id2label", "label2id"):  # of two labels, as every configuration has them; transformers would warn
        shape.pop(two, None)
    shape |= {"num_hidden_layers": layers, "num_labels": 1}
    if shape.get("layer_types"):  # Qwen3 has them, Llama has none
        shape["layer_types"] = shape["layer_types"][:layers]
    config = AutoConfig.for_model(**shape, **extra)
    with whole_weights():
        return AutoModelForSequenceClassification.from_pretrained(folder, config=config, dtype=torch.float32)
