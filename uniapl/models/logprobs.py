"""Per-token log-probabilities of given responses, without a (batch, length, vocabulary) tensor."""

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

LOGITS = 64_000_000  # bytes of float32 logits at a time; their log-softmax is as many again


@torch.inference_mode()
def token_logprobs(model, pairs: list[tuple[list[int], list[int]]], *, batch: int = 64) -> list[torch.Tensor]:
    """log p(y_t | x, y_<t) in nats for each (prompt ids, response ids): one float32 tensor (response length,) each.

    Sorted by length and padded on the right; the head runs in float32 over response positions only, in chunks: 105
    positions at a vocabulary of 151,936. Beyond the hidden states it takes 2 x LOGITS bytes, at most 130 MB. For models
    whose logits are `lm_head(last hidden state)` and nothing else (Qwen3, Llama), without soft-capping.
    """
    model.eval()
    order = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))
    out: list[torch.Tensor] = [torch.empty(0)] * len(pairs)
    head = model.lm_head
    chunk = max(1, LOGITS // (4 * head.weight.shape[0]))
    for start in range(0, len(order), batch):
        index = order[start : start + batch]
        rows = [torch.tensor([*pairs[i][0], *pairs[i][1]]) for i in index]
        ids = pad_sequence(rows, batch_first=True).to(model.device)
        lengths = torch.tensor([len(row) for row in rows], device=model.device)
        mask = torch.arange(ids.shape[1], device=model.device)[None] < lengths[:, None]
        prompts = torch.tensor([len(pairs[i][0]) for i in index], device=model.device)
        hidden = model.model(ids, attention_mask=mask.long(), use_cache=False).last_hidden_state[:, :-1]
        positions = torch.arange(1, ids.shape[1], device=model.device)[None]
        response = (positions >= prompts[:, None]) & mask[:, 1:]
        states, targets = hidden[response], ids[:, 1:][response]
        values = torch.cat(
            [
                -F.cross_entropy(head(states[i : i + chunk]).float(), targets[i : i + chunk], reduction="none")
                for i in range(0, len(states), chunk)
            ]
        ).cpu()
        for i, row in zip(index, values.split(response.sum(1).tolist()), strict=True):
            out[i] = row
    return out
