"""The frozen discriminator of a real policy: POLAR's form, on the first layers of the policy's own start checkpoint.

input   P \\n reference <separator> P \\n response <end>     (POLAR, arXiv 2507.05197, with the policy's own tokens)
score   scalar head at the last token, unbounded

<separator> stands where POLAR has its <|reward|>: the tokenizer's padding token, which in SmolLM2 and Qwen3 is the
<|endoftext|> that parts documents in pretraining; <end> is its end token. No text can write either.

baselines/layers_discriminator.py trains it; `load` reads its checkpoint, which holds the copied layers and needs
no other file.
"""

from pathlib import Path

from uniapl.discriminators.miniature import Encoder
from uniapl.errors import UserError
from uniapl.models.checkpoints import load_tokenizer

KIND = "layers"  # also in the checkpoint's config.json, by which its folder is known
FAMILIES = ("llama", "qwen3")
BATCH = 48  # rows at a time; no effect on the scores


def encoder(tokenizer, response_tokens: int) -> Encoder:
    """Turns texts into rows. Raises UserError for a tokenizer whose padding token is missing, or its end token."""
    if tokenizer.pad_token is None or tokenizer.pad_token == tokenizer.eos_token:
        raise UserError(
            f"the policy's tokenizer pads with {tokenizer.pad_token}: a discriminator on its layers needs a padding "
            "token beside the end token, to part reference and response"
        )
    return Encoder(tokenizer, response_tokens, separator=tokenizer.pad_token, end=tokenizer.eos_token)


def from_start(folder: Path, layers: int, response_tokens: int):
    """The first `layers` layers of a policy's checkpoint under a new head, as `pairs.from_policy`, marked as ours.

    Raises UserError for another family than FAMILIES, and for more layers than there are.
    """
    from transformers import AutoConfig

    from uniapl.discriminators.pairs import from_policy
    from uniapl.models.checkpoints import checkpoint

    shape = AutoConfig.from_pretrained(checkpoint(folder))
    if shape.model_type not in FAMILIES:
        raise UserError(f"{folder}: holds a {shape.model_type}; its first layers can be taken of {', '.join(FAMILIES)}")
    if not 1 <= layers <= shape.num_hidden_layers:
        raise UserError(f"layers is {layers}, and {folder} has {shape.num_hidden_layers}: choose from 1 to that")
    return from_policy(folder, layers, discriminator=KIND, response_tokens=response_tokens)


def load(folder: Path):
    """The frozen `pairs.Scorer` of a checkpoint that the arm `discriminator` wrote."""
    import torch
    from transformers import AutoModelForSequenceClassification

    from uniapl.discriminators.pairs import Scorer, fastest_device, whole_weights

    tokenizer = load_tokenizer(folder)
    with whole_weights():
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return Scorer(model.to(fastest_device()), encoder(tokenizer, model.config.response_tokens), batch=BATCH)
