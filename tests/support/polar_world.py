"""A miniature POLAR: checkpoint, tokenizer, and an implementation of InternLM2 to hold it against."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from uniapl.discriminators import polar

SHAPE = {
    "architectures": ["InternLM2ForRewardModel"],
    "bias": False,
    "bos_token_id": 1,
    "hidden_act": "silu",
    "hidden_size": 32,
    "intermediate_size": 40,
    "max_position_embeddings": 200,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "rope_scaling": {"type": "dynamic", "factor": 2.0},
    "rope_theta": 10_000,
    "vocab_size": 64,
}
CHARACTERS = {c: i for i, c in enumerate("\nabcdefghijklmnopqrstuvwxyz .,<>/|?", start=10)}
BOS, SEP, SCORED = 1, 3, 4
TRIPLES = (["ab c", "ab c", "ab c", "xyz"], ["d.", "d.", "d.", "b?"], ["de", "zed", "", "b?"])


def characters() -> Tokenizer:
    """A tokenizer with one token per character, but one merge, of newline and z: ids can be worked out by hand."""
    vocabulary = {"<unk>": 0, **CHARACTERS, "\nz": 60}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("\n", "z")], unk_token="<unk>"))
    tokenizer.decoder = decoders.Fuse()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(" "), "isolated")
    return tokenizer


def with_marks(tokenizer: Tokenizer, marks: dict[str, int], words: dict[str, int] | None = None) -> Tokenizer:
    """The same tokenizer with special tokens of these ids, which `tokenizers` itself would choose, and with `words`."""
    state = json.loads(tokenizer.to_str())
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    state["model"]["vocab"] |= words or marks
    state["added_tokens"] = [{"id": id, "content": mark, **flags} for mark, id in marks.items()]
    return Tokenizer.from_str(json.dumps(state))


def polar_tokens(**limits) -> polar.Tokens:
    marks = {"<s>": BOS, polar.SEPARATOR: SEP, polar.SCORED: SCORED}
    return polar.Tokens(with_marks(characters(), marks), BOS, SEP, SCORED, **limits)


def ids(text: str) -> list[int]:
    return [CHARACTERS[c] for c in text]


def internlm2_weights() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=g) * (0.3 if len(shape) > 1 else 0.1) + (len(shape) == 1)

    hidden, inner, size = 32, 40, 8
    tensors = {"model.tok_embeddings.weight": draw(64, hidden), "model.norm.weight": draw(hidden)}
    tensors["v_head.weight"] = draw(1, hidden)
    for i in range(2):
        at = f"model.layers.{i}."
        tensors[at + "attention.wqkv.weight"] = draw((4 + 2 * 2) * size, hidden)
        tensors[at + "attention.wo.weight"] = draw(hidden, hidden)
        tensors[at + "feed_forward.w1.weight"] = draw(inner, hidden)
        tensors[at + "feed_forward.w2.weight"] = draw(hidden, inner)
        tensors[at + "feed_forward.w3.weight"] = draw(inner, hidden)
        tensors[at + "attention_norm.weight"] = draw(hidden)
        tensors[at + "ffn_norm.weight"] = draw(hidden)
    return tensors


def internlm2(w: dict[str, torch.Tensor], tokens: list[int]) -> float:
    """The score of InternLM2ForRewardModel, written from its description: independent of transformers' Llama."""

    def norm(x, weight):
        return weight * x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()

    size, t = 8, torch.arange(len(tokens))
    angle = t[:, None] * 10_000.0 ** (-torch.arange(0, size, 2) / size)  # (T, size / 2)

    def rotate(x):  # (T, size): halves, not neighbouring pairs
        a, b = x[:, : size // 2], x[:, size // 2 :]
        return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)

    x = w["model.tok_embeddings.weight"][tokens]
    for i in range(2):
        at = f"model.layers.{i}."
        qkv = norm(x, w[at + "attention_norm.weight"]) @ w[at + "attention.wqkv.weight"].T
        heads = []
        for head in range(4):  # rearrange "b q (h gs d) -> b q h gs d": gs = two queries, key, value
            group = qkv[:, (head // 2) * 4 * size :][:, : 4 * size]
            q = group[:, (head % 2) * size :][:, :size]
            k, v = group[:, 2 * size : 3 * size], group[:, 3 * size :]
            weights = rotate(q) @ rotate(k).T / size**0.5
            weights = weights.masked_fill(t[None] > t[:, None], float("-inf")).softmax(-1)
            heads.append(weights @ v)
        x = x + torch.cat(heads, -1) @ w[at + "attention.wo.weight"].T
        y = norm(x, w[at + "ffn_norm.weight"])
        gate, up = y @ w[at + "feed_forward.w1.weight"].T, y @ w[at + "feed_forward.w3.weight"].T
        x = x + (gate * gate.sigmoid() * up) @ w[at + "feed_forward.w2.weight"].T
    return (norm(x[-1], w["model.norm.weight"]) @ w["v_head.weight"][0]).item()


def write(folder: Path, **changes) -> None:
    """A checkpoint of a few thousand parameters, its config.json with these changes."""
    folder.mkdir()
    save_file(internlm2_weights(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(SHAPE | changes))
    polar_tokens().tokenizer.save(str(folder / "tokenizer.json"))
