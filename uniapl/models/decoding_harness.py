"""A model in memory as lm-eval's, whose answers are written by uniapl/models/sampler.py: the same greedy answers, and
samples from the same distribution, in a fraction of the time of a small model.
"""

import torch
from lm_eval.models.huggingface import HFLM

from uniapl.models.decoder import Decoder
from uniapl.models.sampler import sample

PLAIN = {"top_p": 1.0, "top_k": 0}  # what the sampler draws from: everything


class Decoding(HFLM):
    """HFLM with another `_model_generate`, in `decoding_dtype`; whatever it does not do (top-p, top-k, stop texts) is
    HFLM's own."""

    decoding_dtype = torch.float32

    def _model_generate(self, context, max_length: int, stop: list[str], **options) -> torch.Tensor:
        sampling = {name: options.get(name, value) for name, value in PLAIN.items()}
        texts = {text for text in stop if text != self.tok_decode(self.eot_token_id, skip_special_tokens=False)}
        greedy = not options.get("do_sample", False)
        understood = {"attention_mask", "do_sample", "temperature", *PLAIN}
        if texts or options.keys() - understood or (not greedy and sampling != PLAIN):
            return super()._model_generate(context, max_length, stop, **options)
        mask = options["attention_mask"].bool()
        prompts = [row[seen].tolist() for row, seen in zip(context, mask, strict=True)]
        limit, end = max_length - context.shape[1], self.eot_token_id
        temperature = 1.0 if greedy else options.get("temperature", 1.0)
        answers = sample(Decoder(self.model, self.decoding_dtype), prompts, limit, [end], temperature, greedy).ids
        longest = max(map(len, answers))
        pad = self.tokenizer.pad_token_id
        rows = torch.tensor([[*answer, *[pad] * (longest - len(answer))] for answer in answers])
        return torch.cat([context, rows.to(context.device)], dim=1)


def decoding_harness(model, tokenizer, batch: int, dtype: torch.dtype = torch.float32) -> Decoding:
    """The model in memory as lm-eval's, `batch` prompts at a time; `dtype` is that of its answers' decoding."""
    harness = Decoding(
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=batch,
        max_length=tokenizer.model_max_length,
        device=str(model.device),
    )
    harness.decoding_dtype = dtype
    return harness
