"""The frozen discriminator of the miniature world: a small POLAR, trained on scripted policies before any arm.

input   P \\n reference <|reward|> P \\n response <|end|>     (POLAR, arXiv 2507.05197, with our separator tokens)
score   scalar head at the last token, unbounded

baselines/miniature_discriminator.py trains it; `load` reads its checkpoint.
"""

from pathlib import Path

from uniapl.data.miniature.model import END, REWARD
from uniapl.models.checkpoints import load_tokenizer


def layout(prompt: list[int], reference: list[int], response: list[int], *, newline, separator, end, limit):
    """A pair's token ids as `pairs.Row`, at most `limit`: a prompt that is too long keeps its last tokens (POLAR)."""
    from uniapl.discriminators.pairs import Row

    room = (limit - 4 - len(reference) - len(response)) // 2
    prompt = prompt[-room:] if room > 0 else []
    return Row((*prompt, newline, *reference, separator, *prompt, newline), (*response, end))


class Encoder:
    """Turns texts into `layout` rows; the three texts are tokenized apart, so no merge crosses a border.

    `separator` and `end` are tokens that no text can write.
    """

    def __init__(self, tokenizer, response_tokens: int, *, separator: str = REWARD, end: str = END):
        self.tokenizer, self.response_tokens = tokenizer, response_tokens
        self.marks = {
            "newline": tokenizer.encode("\n", add_special_tokens=False)[0],
            "separator": tokenizer.convert_tokens_to_ids(separator),
            "end": tokenizer.convert_tokens_to_ids(end),
            "limit": tokenizer.model_max_length,
        }

    def __call__(self, prompts: list[str], references: list[str], responses: list[str]) -> list:
        """One `pairs.Row` per pair."""
        from uniapl.discriminators.pairs import text_ids

        cut, ids = self.response_tokens, [text_ids(self.tokenizer, texts) for texts in (prompts, references, responses)]
        return [layout(p, reference[:cut], y[:cut], **self.marks) for p, reference, y in zip(*ids, strict=True)]


def load(folder: Path):
    """The frozen `pairs.Scorer` of a checkpoint that the arm `discriminator` wrote."""
    import torch
    from transformers import AutoModelForSequenceClassification

    from uniapl.discriminators.pairs import Scorer, fastest_device, whole_weights

    tokenizer = load_tokenizer(folder)  # first: it says in one line where the folder holds no checkpoint
    with whole_weights():
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return Scorer(model.to(fastest_device()), Encoder(tokenizer, model.config.response_tokens))
