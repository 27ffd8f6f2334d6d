"""The miniature policy before any training: a tokenizer and a random Qwen3, in Hugging Face format."""

import os
from dataclasses import dataclass

from uniapl.models.checkpoints import share

CONTEXT = 256  # tokens
USER, ASSISTANT, END, PAD, REWARD = "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>", "<|reward|>"
# nothing follows <|end|>, so a demonstration ends with the same token as a finished rollout
CHAT_TEMPLATE = (
    "{% for m in messages %}"
    "{% if m.role == 'user' %}<|user|>{{ m.content }}{% else %}<|assistant|>{{ m.content }}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True)
class Size:
    """Shape of the miniature Qwen3. `vocabulary` is an upper bound: byte-level BPE stops where its merges run out."""

    vocabulary: int = 1_000
    hidden: int = 64
    layers: int = 3
    heads: int = 2
    head: int = 32
    intermediate: int = 192


def build_tokenizer(texts: list[str], size: Size):
    """A byte-level BPE tokenizer trained on `texts`, with the miniature's chat template; it drops non-ASCII text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size.vocabulary,
        special_tokens=[PAD, END, USER, ASSISTANT, REWARD],
        initial_alphabet=[
            *map(chr, range(33, 127)),
            "Ġ",
            "Ċ",
        ],  # printable ASCII, space, newline: a small softmax
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT, REWARD],
        model_max_length=CONTEXT,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def build_policy(tokenizer, size: Size, seed: int):
    """A Qwen3ForCausalLM with random weights, drawn from `seed`."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=size.hidden,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=1,
            head_dim=size.head,
            intermediate_size=size.intermediate,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
        )
    )


def write_scratch(folder, texts: list[str], size: Size, seed: int) -> dict:
    """Write tokenizer and random weights to `folder`; returns their counts."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    tokenizer = build_tokenizer(texts, size)
    policy = build_policy(tokenizer, size, seed)
    tokenizer.save_pretrained(folder)
    policy.save_pretrained(folder)
    share(folder)
    return {"vocabulary": len(tokenizer), "parameters": policy.num_parameters()}
