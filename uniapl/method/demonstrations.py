"""Which demonstrations an optimizer step learns from, and how they become tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


@dataclass(frozen=True)
class Batch:
    """Demonstrations of one micro-batch: prompts padded on the left, responses on the right, as TRL lays out rollouts.

    ids, attention: (B, P + T); response: (B, T) mask of the tokens that are learned; tokens: of the whole step.
    """

    ids: Tensor
    attention: Tensor
    response: Tensor
    tokens: float


def tokenize(trainer, prompts: list, demonstrations: list[str], limit: int) -> list[tuple[Tensor, Tensor]]:
    """Ids of each prompt, exactly as rollouts see it, and of at most `limit` tokens of its response.

    The response ends with what the chat template, or the end token of a plain prompt, adds. Raises ValueError where
    the template renders the prompt differently once an answer follows.
    """
    starts, tokenizer = trainer._tokenize_prompts(prompts)[0], trainer._tokenizer
    if isinstance(prompts[0], str):
        responses = tokenizer(demonstrations, add_special_tokens=False)["input_ids"]
        responses = [[*response, tokenizer.eos_token_id] for response in responses]
    else:
        pairs = zip(prompts, demonstrations, strict=True)
        chats = [[*prompt, {"role": "assistant", "content": text}] for prompt, text in pairs]
        ids = tokenizer.apply_chat_template(chats, return_dict=False, **trainer.chat_template_kwargs)
        if any(full[: len(start)] != start for full, start in zip(ids, starts, strict=True)):
            raise ValueError("the chat template is not prefix-preserving: a demonstration would change its own prompt")
        responses = [full[len(start) :] for full, start in zip(ids, starts, strict=True)]
    return [(torch.tensor(p), torch.tensor(y[:limit])) for p, y in zip(starts, responses, strict=True)]


def of_step(n: int, count: int, step: int, seed: int) -> list[int]:
    """Indices of the `count` demonstrations, of `n`, that optimizer step `step` (0-based) learns from.

    Every epoch is a permutation of its own. A pure function of its arguments, so resuming needs no state.
    """
    positions = range(step * count, (step + 1) * count)
    orders = {
        epoch: torch.randperm(n, generator=torch.Generator().manual_seed(seed * 100_003 + epoch))
        for epoch in {p // n for p in positions}
    }
    return [int(orders[p // n][p % n]) for p in positions]


def collate(rows: list[tuple[Tensor, Tensor]], tokens: float, pad_token_id: int, device) -> Batch:
    """Pad tokenized demonstrations into one batch."""
    prompts, responses = zip(*rows, strict=True)
    ids, masks = [], []
    for side, rows_of in (("left", prompts), ("right", responses)):
        ids.append(pad_sequence(rows_of, batch_first=True, padding_value=pad_token_id, padding_side=side))
        ones = [torch.ones_like(row) for row in rows_of]
        masks.append(pad_sequence(ones, batch_first=True, padding_side=side))
    ids, attention, response = (x.to(device) for x in (torch.cat(ids, 1), torch.cat(masks, 1), masks[1]))
    return Batch(ids, attention, response, tokens)
