"""Shapes of the models, and their numbers of parameters."""

import json
from dataclasses import dataclass
from pathlib import Path

from uniapl.errors import UserError
from uniapl.models.gguf import SMOLLM2


@dataclass(frozen=True)
class Shape:
    """A decoder with grouped-query attention and a gated MLP: Qwen3, Llama, InternLM2, or a mixture of experts.

    `head` is the size of one attention head; `active` of `experts` MLPs read a token; `qk_norm`: queries and keys are
    normalised (Qwen3); `scalar`: the head gives one score in the place of a vocabulary's logits (a reward model).
    """

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    intermediate: int
    vocabulary: int
    tied: bool = True
    experts: int = 1
    active: int = 1
    qk_norm: bool = True
    scalar: bool = False

    @property
    def query(self) -> int:
        """Numbers per token in the queries of one layer."""
        return self.heads * self.head

    @property
    def key(self) -> int:
        """Numbers per token in the keys, and in the values, of one layer."""
        return self.kv_heads * self.head

    @property
    def embedding(self) -> int:
        return self.vocabulary * self.hidden

    @property
    def attention(self) -> int:
        """Parameters of one layer's query, key, value and output projections."""
        return 2 * self.hidden * (self.query + self.key)

    @property
    def mlp(self) -> int:
        """Parameters of one gate, up and down projection."""
        return 3 * self.hidden * self.intermediate

    @property
    def router(self) -> int:
        return self.hidden * self.experts if self.experts > 1 else 0

    @property
    def layer_matrices(self) -> int:
        """Parameters of one layer that are matrices: what autocast copies."""
        return self.attention + self.experts * self.mlp + self.router

    @property
    def output(self) -> int:
        """Parameters of the head, shared or not."""
        return self.hidden if self.scalar else self.embedding

    @property
    def parameters(self) -> int:
        norms = 2 * self.hidden + (2 * self.head if self.qk_norm else 0)
        own_head = 0 if self.tied else self.output
        return self.embedding + self.layers * (self.layer_matrices + norms) + self.hidden + own_head

    @property
    def multiplied(self) -> int:
        """Parameters that a token is multiplied with: active matrices and the head; an embedding is looked up."""
        return self.layers * (self.attention + self.active * self.mlp + self.router) + self.output


QWEN3 = "its config.json as public code repeats it (the hub was not read); the total is the name's"
SHAPES = {  # hub id: its shape
    "Qwen/Qwen3-0.6B": Shape(1024, 28, 16, 8, 128, 3072, 151_936),
    "Qwen/Qwen3-4B": Shape(2560, 36, 32, 8, 128, 9728, 151_936),
    "Qwen/Qwen3-32B": Shape(5120, 64, 64, 8, 128, 25_600, 151_936, tied=False),
    "Qwen/Qwen3-235B-A22B-Instruct-2507": Shape(4096, 94, 64, 4, 128, 1536, 151_936, tied=False, experts=128, active=8),
    "internlm/POLAR-1_8B": Shape(2048, 24, 16, 8, 128, 8192, 92_544, tied=False, qk_norm=False, scalar=True),
    "internlm/POLAR-7B": Shape(4096, 32, 32, 8, 128, 14_336, 92_544, tied=False, qk_norm=False, scalar=True),
    SMOLLM2: Shape(576, 30, 9, 3, 64, 1536, 49_152, qk_norm=False),
}
SOURCES = {
    "Qwen/Qwen3-0.6B": QWEN3,
    "Qwen/Qwen3-4B": QWEN3,
    "Qwen/Qwen3-32B": QWEN3,
    "Qwen/Qwen3-235B-A22B-Instruct-2507": QWEN3,
    "internlm/POLAR-1_8B": "ours: assumed to be InternLM2-1.8B's with a scalar head; its config.json was not read",
    "internlm/POLAR-7B": "layers and hidden size: its config.json; the rest assumed to be InternLM2-7B's",
    SMOLLM2: "the file's metadata",
}


def shape_of(model: str) -> Shape:
    """The shape of a hub id, or of a GGUF file of a package. Raises UserError for one without."""
    if model not in SHAPES:
        raise UserError(f"no shape of {model!r} is known: add it to SHAPES in uniapl/costs/shapes.py")
    return SHAPES[model]


def read_shape(checkpoint: Path) -> Shape:
    """The shape of a checkpoint on disk. Raises UserError where config.json is missing or of another architecture."""
    path = checkpoint / "config.json"
    try:
        config = json.loads(path.read_text())
        hidden, heads = config["hidden_size"], config["num_attention_heads"]
        experts = config.get("num_experts", 1)
        name = "".join(config.get("architectures") or [])
        return Shape(
            hidden=hidden,
            layers=config["num_hidden_layers"],
            heads=heads,
            kv_heads=config["num_key_value_heads"],
            head=config.get("head_dim") or hidden // heads,
            intermediate=config["moe_intermediate_size"] if experts > 1 else config["intermediate_size"],
            vocabulary=config["vocab_size"],
            tied=config.get("tie_word_embeddings", False),
            experts=experts,
            active=config.get("num_experts_per_tok", 1) if experts > 1 else 1,
            qk_norm=name.startswith("Qwen3"),
            scalar="Reward" in name or "SequenceClassification" in name,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: no shape of a decoder in it ({error!r}): fetch or train the checkpoint again"
        ) from error
